/**
 * Keys and values of one dialogue while it listens: tensors of exactly its length, as the runtime gives them, which
 * are never written to. While it speaks they are in `step-block.ts`.
 */
import type ort from '../../onnx/runtime.ts';
import { RECENT, type CacheSlot } from './graph-io.ts';
import { asBits, copyRows, dataOf, makeData, makeTensor, noRecentRows } from './kv-cache.ts';

export interface ExactCache {
  readonly length: number;
  feeds(): Record<string, ort.Tensor>;
  fetches(): Record<string, null>;
  advance(outputs: ort.InferenceSession.OnnxValueMapType, added: { tokens: number }): void;
  /** Removes all but the first `length` tokens. */
  truncate(length: number): void;
  /** One array [1, heads, length, head dims] per cache slot. */
  data(): Float32Array[];
  /** Replaces the content. */
  replace(data: readonly Float32Array[], length: number): void;
}

export function createExactCache(slots: readonly CacheSlot[]): ExactCache {
  let tensors = slots.map((slot) => makeTensor(slot, 0, makeData(slot, 0)));
  let length = 0;
  const recent = noRecentRows(slots);
  return {
    get length() {
      return length;
    },
    feeds: () => ({
      ...Object.fromEntries(slots.map((slot, i) => [slot.past, tensors[i] as ort.Tensor])),
      [RECENT]: recent,
    }),
    fetches: () => Object.fromEntries(slots.map(({ present }) => [present, null])),
    advance: (outputs, { tokens }) => {
      tensors = slots.map(({ present }) => asBits(outputs[present] as ort.Tensor));
      length += tokens;
    },
    truncate: (to) => {
      if (to >= length) return;
      tensors = slots.map((slot, i) => {
        const data = makeData(slot, to);
        copyRows(slot, to, { from: dataOf(tensors[i] as ort.Tensor), to: data });
        return makeTensor(slot, to, data);
      });
      length = to;
    },
    data: () => tensors.map((tensor) => dataOf(tensor) as Float32Array),
    replace: (data, to) => {
      tensors = slots.map((slot, i) => makeTensor(slot, to, data[i] as Float32Array));
      length = to;
    },
  };
}
