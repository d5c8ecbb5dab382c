/**
 * Refuses a pass with tensors that no array can hold. The runtime's binding does not check, and an array of more than
 * four gigabytes ends the process on Node 20.
 */
import { EntrainError } from '../../protocol/errors.ts';
import type { GraphIo } from './graph-io.ts';
import { layoutOf, rowFloats } from './kv-cache.ts';

const MOST_BYTES = 2 ** 32 - 1;
const HALF = 2;
const SINGLE = 4;

export interface PassSize {
  io: GraphIo;
  /** Number of values of all states of a token. */
  stateFloats: number;
}

/** @returns a function that checks a pass of `tokens` tokens after `past` ones */
export function createTensorLimit({ io, stateFloats }: PassSize): (tokens: number, past: number) => void {
  const tokenBytes = (stateFloats + (io.recent ? rowFloats(io.slots) : 0)) * SINGLE;
  const slotBytes = Math.max(
    0,
    ...io.slots.map((slot) => {
      const { outer, inner } = layoutOf(slot);
      return outer * inner * (slot.type === 'float16' ? HALF : SINGLE);
    }),
  );
  return (tokens, past) => {
    refuse('states', tokenBytes * tokens);
    refuse('cache', slotBytes * (past + tokens));
  };
}

function refuse(what: string, bytes: number): void {
  if (bytes <= MOST_BYTES) return;
  throw new EntrainError(
    'TENSOR_TOO_LARGE',
    `The model's ${what} would take ${bytes} bytes in one tensor, expected at most ${MOST_BYTES}; use a smaller model or a shorter context.`,
  );
}
