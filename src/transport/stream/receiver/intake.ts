/**
 * The receiver's state machine of one stream: tells of each frame whether it is new, a duplicate, or beyond a
 * hole. It does no writing and sends no acknowledgements.
 */
import type { DataMessage, Resend } from '../../../protocol/stream/frames.ts';

/** `hole`: frames before this one are missing, so it is not taken. */
export type Verdict = 'accept' | 'duplicate' | 'hole';

export interface Intake {
  /** Begins a session: everything up to `durableSeq` of the epoch has been recorded. */
  greet(epoch: number, durableSeq: number): void;
  offer(message: DataMessage, nowMs: number): { verdict: Verdict; resend?: Resend };
  epoch(): number;
  next(): number;
}

/** A hole that is still there after this time is asked for again. */
const ASK_AGAIN_MS = 1000;

/** Creates the state machine; no frame is taken before the first `greet`. */
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
