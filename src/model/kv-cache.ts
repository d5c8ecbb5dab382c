/**
 * The keys and values of the tokens a model has seen, for graphs whose cache grows by concatenation. Going back copies
 * the rows that stay; it happens once or twice a turn and costs less than one step.
 */
import ort from 'onnxruntime-node';
import type { CacheSlot } from './graph-io.ts';

export interface KvCache {
  /** Tokens held. */
  length: number;
  /** Inputs of the next run, by name. */
  feeds(): Record<string, ort.Tensor>;
  /** Takes over the outputs of a run. */
  advance(outputs: ort.InferenceSession.OnnxValueMapType, tokens: number): void;
  /** Forgets all but the first `length` tokens. */
  truncate(length: number): void;
}

export function createKvCache(slots: readonly CacheSlot[]): KvCache {
  let tensors = slots.map((slot) => emptyTensor(slot));
  const cache: KvCache = {
    length: 0,
    feeds: () => Object.fromEntries(slots.map((slot, i) => [slot.past, tensors[i] as ort.Tensor])),
    advance: (outputs, tokens) => {
      tensors = slots.map((slot) => outputs[slot.present] as ort.Tensor);
      cache.length += tokens;
    },
    truncate: (length) => {
      if (length >= cache.length) return;
      tensors = slots.map((slot, i) => cutTensor(tensors[i] as ort.Tensor, slot, length));
      cache.length = length;
    },
  };
  return cache;
}

function emptyTensor(slot: CacheSlot): ort.Tensor {
  return makeTensor(slot, slot.emptyShape, emptyData(slot, 0));
}

function makeTensor(slot: CacheSlot, shape: readonly number[], data: Float32Array | Uint16Array): ort.Tensor {
  return new ort.Tensor(slot.type as 'float32', data as Float32Array, shape);
}

function emptyData(slot: CacheSlot, size: number): Float32Array | Uint16Array {
  return slot.type === 'float16' ? new Uint16Array(size) : new Float32Array(size);
}

/** [outer, tokens, inner] → [outer, length, inner], where outer is batch × heads and inner the head size. */
function cutTensor(tensor: ort.Tensor, slot: CacheSlot, length: number): ort.Tensor {
  const shape = slot.emptyShape.map((size, axis) => (axis === slot.tokenAxis ? length : size));
  const inner = shape[slot.tokenAxis + 1] ?? 1;
  const outer = shape.slice(0, slot.tokenAxis).reduce((product, size) => product * size, 1);
  const from = tensor.data as Float32Array | Uint16Array;
  const rowSize = from.length / outer;
  const to = emptyData(slot, outer * length * inner);
  for (let row = 0; row < outer; row++) {
    to.set(from.subarray(row * rowSize, row * rowSize + length * inner), row * length * inner);
  }
  return makeTensor(slot, shape, to);
}
