/** A frame that is on disk, with its origin. */
import type { DataMessage } from '../../protocol/stream/frames.ts';
import type { Origin } from './episode-index.ts';

/** A frame as read from a recording. */
export interface RecordedFrame {
  run: string;
  origin: Origin;
  message: DataMessage;
}

export interface DurableFrame extends RecordedFrame {
  /** Monotonic time at which it arrived, or was read back from the recording. */
  arrivedMs: number;
}
