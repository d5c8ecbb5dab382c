/** A frame that is on disk, with the place that it came from. */
import type { DataMessage } from '../../protocol/stream/frames.ts';
import type { Origin } from './episode-index.ts';

/** As a recording gives it back. */
export interface RecordedFrame {
  run: string;
  origin: Origin;
  message: DataMessage;
}

export interface DurableFrame extends RecordedFrame {
  /** Monotonic: when it came in, or when it was read back from the recording. */
  arrivedMs: number;
}
