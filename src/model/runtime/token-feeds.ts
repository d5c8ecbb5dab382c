/** Makes the inputs of a pass besides the cache: tokens, mask, positions, and others that follow from them. */
import ort from '../../onnx/runtime.ts';
import type { GraphIo, OtherKind, ValueInfo } from './graph-io.ts';

export type TokenFeeds = (ids: readonly number[], past: number) => Record<string, ort.Tensor>;

/** @returns a function that makes the inputs of a pass of `ids` after `past` tokens, by name */
export function createTokenFeeds(io: GraphIo): TokenFeeds {
  const maskOf = io.mask && createMask(io.mask);
  return (ids, past) => {
    const total = past + ids.length;
    const places = ids.map((_, i) => past + i);
    const feeds: Record<string, ort.Tensor> = { [io.ids.name]: row(io.ids, ids) };
    if (io.mask && maskOf) feeds[io.mask.name] = maskOf(total);
    if (io.positions) feeds[io.positions.name] = row(io.positions, places);
    if (io.useCache) feeds[io.useCache.name] = new ort.Tensor('bool', [past > 0], [1]);
    for (const { info, kind } of io.others)
      feeds[info.name] = row(info, VALUES[kind]({ places, total, past }));
    return feeds;
  };
}

interface Places {
  places: readonly number[];
  total: number;
  past: number;
}

/** Inputs of some exports that follow from the number of tokens. */
const VALUES = {
  places: ({ places }) => places,
  zeros: ({ places }) => places.map(() => 0),
  total: ({ total }) => [total],
  past: ({ past }) => [past],
  last: ({ total }) => [total - 1],
  /** Logits of the last token only. */
  one: () => [1],
} satisfies Record<OtherKind, (places: Places) => readonly number[]>;

/** A tensor [], [n] or [1, n], with as many axes and the integer type that the graph declares. */
function row(info: ValueInfo, values: readonly number[]): ort.Tensor {
  const shape =
    info.shape.length === 0 && values.length === 1
      ? []
      : info.shape.length === 1
        ? [values.length]
        : [1, values.length];
  if (info.type === 'int32') return new ort.Tensor('int32', Int32Array.from(values), shape);
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

const FIRST_MASK = 512;

/** The mask of a single unpadded sequence is all ones: a growing view of the same memory. */
function createMask({ type }: ValueInfo): (total: number) => ort.Tensor {
  const make = MASKS[type] ?? MASKS['int64'];
  let ones = make?.(0);
  return (total) => {
    if (!ones || ones.length < total) ones = make?.(Math.max(FIRST_MASK, total * 2));
    return new ort.Tensor(type as 'int64', ones?.subarray(0, total) as BigInt64Array, [1, total]);
  };
}

type Ones = Int32Array | BigInt64Array | Uint8Array | Float32Array | Uint16Array;

/** By data type; 0x3c00 is 1 in half precision. */
const MASKS: Readonly<Record<string, (length: number) => Ones>> = {
  int64: (length) => new BigInt64Array(length).fill(1n),
  int32: (length) => new Int32Array(length).fill(1),
  bool: (length) => new Uint8Array(length).fill(1),
  float32: (length) => new Float32Array(length).fill(1),
  float16: (length) => new Uint16Array(length).fill(0x3c00),
};
