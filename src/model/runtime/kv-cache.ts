/** The interface of a key/value cache. `growing-cache.ts` and `fixed-cache.ts` implement it. */
import ort from '../../onnx/runtime.ts';
import type { CacheSlot } from './graph-io.ts';

export interface KvCache {
  /** Number of tokens in the cache. */
  readonly length: number;
  /** What has to be done, asynchronously, before the inputs of the next run are taken. */
  settle?(): Promise<void>;
  /** Inputs of the next run of `tokens` tokens, by name. */
  feeds(tokens: number): Record<string, ort.Tensor>;
  /** Tensors for the outputs of that run; null lets the runtime allocate. */
  fetches(tokens: number): Record<string, ort.Tensor | null>;
  /** Takes over the outputs of that run. */
  advance(outputs: ort.InferenceSession.OnnxValueMapType, added: NewRows): void;
  /** Removes all but the first `length` tokens. */
  truncate(length: number): void;
  /** A copy with the same tokens. */
  fork(): KvCache;
}

export interface NewRows {
  tokens: number;
  /** [tokens, slots, heads, head dims]; empty if the graph does not give them. */
  rows: Float32Array;
}

export type CacheData = Float32Array | Uint16Array;

/** [outer, tokens, inner]: outer is batch × heads (and key/value if they are stacked), inner the head size. */
export interface CacheLayout {
  outer: number;
  inner: number;
}

export function layoutOf(slot: CacheSlot): CacheLayout {
  const outer = slot.emptyShape.slice(0, slot.tokenAxis).reduce((product, size) => product * size, 1);
  return { outer, inner: slot.emptyShape[slot.tokenAxis + 1] ?? 1 };
}

/** Number of values that one token adds to the cache. */
export function rowFloats(slots: readonly CacheSlot[]): number {
  return slots.map(layoutOf).reduce((sum, { outer, inner }) => sum + outer * inner, 0);
}

/** Bytes that one token adds to the cache. */
export function tokenBytes(slots: readonly CacheSlot[]): number {
  const { BYTES_PER_ELEMENT: single } = Float32Array;
  const { BYTES_PER_ELEMENT: half } = Uint16Array;
  return slots.reduce((sum, slot) => sum + rowFloats([slot]) * (slot.type === 'float16' ? half : single), 0);
}

export function makeTensor(slot: CacheSlot, tokens: number, data: CacheData): ort.Tensor {
  const shape = slot.emptyShape.map((size, axis) => (axis === slot.tokenAxis ? tokens : size));
  return asBits(new ort.Tensor(slot.type as 'float32', data as Float32Array, shape));
}

/**
 * The tensor in a form that the runtime accepts. If Node has a Float16Array (from 24 on), the runtime returns half
 * precision as one, and its binding takes the size of that for 0:
 * https://github.com/microsoft/onnxruntime/pull/32323.
 */
export function asBits(tensor: ort.Tensor): ort.Tensor {
  const data = dataOf(tensor);
  if (data !== (tensor.data as unknown)) Object.defineProperty(tensor, 'data', { value: data });
  return tensor;
}

export function makeData(slot: CacheSlot, tokens: number): CacheData {
  const { outer, inner } = layoutOf(slot);
  const size = outer * inner * tokens;
  return slot.type === 'float16' ? new Uint16Array(size) : new Float32Array(size);
}

interface CopyPlan {
  from: CacheData;
  to: CacheData;
}

/** Copies the first `tokens` tokens of each row into a tensor of another length. */
export function copyRows(slot: CacheSlot, tokens: number, { from, to }: CopyPlan): void {
  const { outer, inner } = layoutOf(slot);
  const [fromRow, toRow] = [from.length / outer, to.length / outer];
  for (let row = 0; row < outer; row++) {
    to.set(from.subarray(row * fromRow, row * fromRow + tokens * inner), row * toRow);
  }
}

/** The values of a cache tensor; half precision as bits, whatever array type this Node has for it. */
export function dataOf(tensor: ort.Tensor): CacheData {
  const data = tensor.data as unknown as CacheData;
  if (data instanceof Float32Array || data instanceof Uint16Array) return data;
  const halves = data as CacheData;
  return new Uint16Array(halves.buffer, halves.byteOffset, halves.length);
}
