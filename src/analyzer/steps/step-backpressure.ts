/**
 * Limits the bytes in flight to the step worker. Above the limit a frame is skipped and counted, since recording must
 * not wait for scores.
 */
import type { StepInput, StepsInput, StepSkip } from './step-messages.ts';

/** The part of a worker that the backpressure needs. */
export interface StepPort {
  postMessage(message: StepInput | StepSkip, transfer: readonly ArrayBuffer[]): void;
}

export interface StepBackpressure {
  send(input: StepsInput, port: StepPort): void;
  taken(bytes: number): void;
  /** Settles when less than half of the limit is in flight. */
  room(): Promise<void>;
  skippedFrames(): number;
}

export const MOST_BYTES_UNDER_WAY = 64 * 2 ** 20;

export function createStepBackpressure(): StepBackpressure {
  let underWay = 0;
  let skipped = 0;
  let waiting: (() => void)[] = [];
  return {
    send: ({ frame, ...input }, port) => {
      const bytes = frame.data.byteLength;
      if (underWay + bytes > MOST_BYTES_UNDER_WAY) {
        skipped += 1;
        const { episode, turn } = frame;
        return port.postMessage({ ...input, type: 'skip', frame: { episode, turn } }, []);
      }
      underWay += bytes;
      const data = new Uint8Array(frame.data);
      port.postMessage({ ...input, frame: { ...frame, data } }, [data.buffer]);
    },
    taken: (bytes) => {
      underWay -= bytes;
      if (underWay > MOST_BYTES_UNDER_WAY / 2) return;
      for (const go of waiting) go();
      waiting = [];
    },
    room: () =>
      underWay <= MOST_BYTES_UNDER_WAY / 2
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push(resolve)),
    skippedFrames: () => skipped,
  };
}
