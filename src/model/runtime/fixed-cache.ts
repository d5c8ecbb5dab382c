/**
 * A cache for graphs whose attention writes into the given cache (`GroupQueryAttention`): the same tensor is past and
 * present, so a step copies nothing and rewinding only changes the length.
 */
import type ort from '../../onnx/runtime.ts';
import type { CacheSlot } from './graph-io.ts';
import { copyRows, dataOf, type KvCache, makeData, makeTensor } from './kv-cache.ts';

const FIRST_TOKENS = 256;

export function createFixedCache(slots: readonly CacheSlot[]): KvCache {
  return holdFixed(slots, { capacity: 0, tensors: [], held: 0 });
}

interface Held {
  /** Number of tokens for which the tensors have space. */
  capacity: number;
  tensors: ort.Tensor[];
  /** Tokens held. */
  held: number;
}

function holdFixed(slots: readonly CacheSlot[], { capacity, tensors, held }: Held): KvCache {
  const ensureCapacity = (tokens: number): void => {
    if (held + tokens <= capacity) return;
    // Doubling keeps copies rare, and no memory is taken for context before it is used.
    while (capacity < held + tokens) capacity = Math.max(FIRST_TOKENS, capacity * 2);
    tensors = slots.map((slot, i) => {
      const data = makeData(slot, capacity);
      const before = tensors[i];
      if (before) copyRows(slot, held, { from: dataOf(before), to: data });
      return makeTensor(slot, capacity, data);
    });
  };
  return {
    get length() {
      return held;
    },
    feeds: (tokens) => {
      ensureCapacity(tokens);
      return Object.fromEntries(slots.map((slot, i) => [slot.past, tensors[i] as ort.Tensor]));
    },
    fetches: () => Object.fromEntries(slots.map((slot, i) => [slot.present, tensors[i] as ort.Tensor])),
    advance: (_, { tokens }) => {
      held += tokens;
    },
    truncate: (length) => {
      held = Math.min(held, length);
    },
    fork: () => {
      const copies = tensors.map((tensor, i) =>
        makeTensor(slots[i] as CacheSlot, capacity, dataOf(tensor).slice()),
      );
      return holdFixed(slots, { capacity, tensors: copies, held });
    },
  };
}
