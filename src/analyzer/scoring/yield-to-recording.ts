/** Lowers the priority of a thread that computes scores, so that recording does not lag. */
import { setPriority } from 'node:os';

const NICENESS = 5;

/**
 * Applies to the calling thread on Linux. Elsewhere it is refused or lowers the whole process, which does no harm.
 */
export function yieldToRecording(): void {
  try {
    setPriority(0, NICENESS);
  } catch {
    // Without the permission, scores compete with the recording.
  }
}
