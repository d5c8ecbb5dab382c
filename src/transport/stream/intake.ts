/**
 * The receiver's side of one stream as a pure machine: says of each frame whether it is new, known, or comes after a
 * hole. Writing and acknowledging sit outside.
 */
import type { DataMessage, Resend } from '../../protocol/stream/frames.ts';

export type Verdict = 'accept' | 'duplicate' | 'hole';

export interface Intake {
  /** A session begins: everything up to `durableSeq` of the epoch is there. */
  greet(epoch: number, durableSeq: number): void;
  offer(message: DataMessage, nowMs: number): { verdict: Verdict; resend?: Resend };
  epoch(): number;
  next(): number;
}

/** A hole is asked for again when it is still there after this time. */
const ASK_AGAIN_MS = 1000;

export function createIntake(): Intake {
  let epoch = 0;
  let next = 0;
  let asked: { from: number; atMs: number } | undefined;
  return {
    greet: (greeted, durableSeq) => {
      epoch = greeted;
      next = durableSeq + 1;
      asked = undefined;
    },
    offer: (message, nowMs) => {
      const first = message.type === 'gap' ? message.from : message.seq;
      if (message.seq < next) return { verdict: 'duplicate' };
      if (first <= next) {
        next = message.seq + 1;
        asked = undefined;
        return { verdict: 'accept' };
      }
      if (asked?.from === next && nowMs - asked.atMs < ASK_AGAIN_MS) return { verdict: 'hole' };
      asked = { from: next, atMs: nowMs };
      return { verdict: 'hole', resend: { type: 'resend', from: next, to: first - 1 } };
    },
    epoch: () => epoch,
    next: () => next,
  };
}
