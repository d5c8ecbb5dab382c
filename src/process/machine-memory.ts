/** The memory that this process may use. */
import { totalmem } from 'node:os';

/** In bytes. A container without a limit reports exabytes; the machine's memory counts then. */
export function machineBytes(): number {
  const contained = process.constrainedMemory();
  return contained > 0 ? Math.min(contained, totalmem()) : totalmem();
}
