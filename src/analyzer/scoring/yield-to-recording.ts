/** Scores may not make recording lag: a thread that makes them gives way. */
import { setPriority } from 'node:os';

const NICENESS = 5;

/** Of the calling thread, on Linux; elsewhere it is refused or lowers the process, which is no harm. */
export function yieldToRecording(): void {
  try {
    setPriority(0, NICENESS);
  } catch {
    // Without leave to be nice, scores compete with the recording.
  }
}
