/**
 * For graphs that make each step's cache by concatenation. The runtime's outputs become the next inputs without a copy
 * of ours; going back copies the rows that stay, once or twice a turn and for less than the price of a step.
 */
import type ort from 'onnxruntime-node';
import type { CacheSlot } from './graph-io.ts';
import { copyRows, dataOf, type KvCache, makeData, makeTensor } from './kv-cache.ts';

export function createGrowingCache(slots: readonly CacheSlot[]): KvCache {
  let tensors = slots.map((slot) => makeTensor(slot, 0, makeData(slot, 0)));
  let held = 0;
  return {
    get length() {
      return held;
    },
    feeds: () => Object.fromEntries(slots.map((slot, i) => [slot.past, tensors[i] as ort.Tensor])),
    fetches: () => Object.fromEntries(slots.map((slot) => [slot.present, null])),
    advance: (outputs, tokens) => {
      tensors = slots.map((slot) => outputs[slot.present] as ort.Tensor);
      held += tokens;
    },
    truncate: (length) => {
      if (length >= held) return;
      tensors = slots.map((slot, i) => {
        const data = makeData(slot, length);
        copyRows(slot, length, { from: dataOf(tensors[i] as ort.Tensor), to: data });
        return makeTensor(slot, length, data);
      });
      held = length;
    },
  };
}
