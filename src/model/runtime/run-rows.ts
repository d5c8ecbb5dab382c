/**
 * Runs a pass over the next tokens of several dialogues, one row each, and adds them to their caches.
 *
 *   position   0 … held-1 │ masked … width-1 │ padding, the tokens of the pass
 *              ───────── past, by slot ───── │ ─────── as many as the longest ──
 *
 * A past token is at its own position of its dialogue; the last token of each row is in the last position of the
 * pass, so the logits of the last position are those wanted.
 */
import ort from '../../onnx/runtime.ts';
import type { DialogueCache } from './dialogue-cache.ts';
import { type GraphIo, PASS, RECENT, type ValueInfo } from './graph-io.ts';
import { rowFloats } from './kv-cache.ts';
import { patchFeeds, type StatePatch } from './patched-passes.ts';
import { passFault } from './runtime-errors.ts';
import { createTensorLimit } from './tensor-limit.ts';

export interface RowParts {
  session: ort.InferenceSession;
  io: GraphIo;
  /** Number of states in the packed output: L + 1. */
  states: number;
  dims: number;
}

/** The next tokens of one dialogue. */
export interface RowInput {
  cache: DialogueCache;
  ids: readonly number[];
  /** Added to a state at the last of the tokens; the dialogue has a pass of its own then. */
  patch?: StatePatch | undefined;
}

/** Output of a pass for one dialogue. */
export interface RowOutput {
  /** [vocabulary] of the last token. */
  logits: Float32Array;
  /** One array [tokens, dims] per layer 0..L. */
  states: Float32Array[];
}

/** What the dialogues hold: one array [rows, heads, width, head dims] per slot. */
export interface Pasts {
  data: readonly Float32Array[];
  width: number;
}

export async function runRows(
  parts: RowParts,
  rows: readonly RowInput[],
  pasts: Pasts,
): Promise<RowOutput[]> {
  const { io, states, dims } = parts;
  const tokens = longest(rows);
  createTensorLimit({ io, stateFloats: states * dims })(rows.length * tokens, rows.length * pasts.width);
  const moved = patchFeeds(io, { tokens: rows.length * tokens, dims, patch: rows[0]?.patch });
  const feeds = { ...pastFeeds(io, rows.length, pasts), ...tokenFeeds(io, rows, pasts.width), ...moved };
  const packed = await runPacked(parts.session, feeds);
  return takeRows(parts, rows, packed);
}

/** Unpacks the output of a pass, whose layout `pack-pass.ts` describes. */
function takeRows(
  { io, states: layers, dims }: RowParts,
  rows: readonly RowInput[],
  packed: Float32Array,
): RowOutput[] {
  const tokens = longest(rows);
  const count = rows.length;
  const values = packed.subarray(packed.length - count * tokens * rowFloats(io.slots));
  const vocabulary = (packed.length - values.length) / count - layers * tokens * dims;
  return rows.map(({ cache, ids }, row) => {
    const first = tokens - ids.length;
    cache.append({ values, tokens, rows: count, row, first });
    const statesOf = (layer: number): Float32Array => {
      const start = count * vocabulary + (layer * count + row) * tokens * dims;
      return packed.subarray(start + first * dims, start + tokens * dims);
    };
    const logits = packed.subarray(row * vocabulary, (row + 1) * vocabulary);
    return { logits, states: Array.from({ length: layers }, (_, layer) => statesOf(layer)) };
  });
}

async function runPacked(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
): Promise<Float32Array> {
  try {
    const outputs = await session.run(feeds, { [PASS]: null });
    return (outputs[PASS] as ort.Tensor).data as Float32Array;
  } catch (cause) {
    throw passFault(cause);
  }
}

/** Number of tokens of the longest row. */
export function longest(rows: readonly Pick<RowInput, 'ids'>[]): number {
  return Math.max(...rows.map(({ ids }) => ids.length));
}

function pastFeeds({ slots }: GraphIo, rows: number, { data, width }: Pasts): Record<string, ort.Tensor> {
  const [, heads = 1, , headDims = 1] = slots[0]?.emptyShape ?? [];
  const shape = [rows, heads, width, headDims];
  const size = rows * heads * width * headDims;
  const feeds = slots.map(({ past }, slot) => {
    const values = (data[slot] as Float32Array).subarray(0, size);
    return [past, new ort.Tensor('float32', values, shape)] as const;
  });
  const recent = new ort.Tensor('float32', new Float32Array(0), [0, slots.length * rows, heads, headDims]);
  return { ...Object.fromEntries(feeds), [RECENT]: recent };
}

function tokenFeeds(io: GraphIo, rows: readonly RowInput[], width: number): Record<string, ort.Tensor> {
  const tokens = longest(rows);
  const spread = (valueOf: (row: RowInput, i: number) => number): number[] =>
    rows.flatMap((row) => {
      const padding = tokens - row.ids.length;
      return Array.from({ length: tokens }, (_, i) => (i < padding ? 0 : valueOf(row, i - padding)));
    });
  const feeds: Record<string, ort.Tensor> = {};
  const add = (info: ValueInfo, values: readonly number[]): void => {
    feeds[info.name] = integers(info, values, [rows.length, values.length / rows.length]);
  };
  add(
    io.ids,
    spread(({ ids }, i) => ids[i] as number),
  );
  if (io.positions)
    add(
      io.positions,
      spread(({ cache }, i) => cache.length + i),
    );
  if (io.mask) feeds[io.mask.name] = maskOf(io.mask, rows, width);
  if (io.useCache) feeds[io.useCache.name] = new ort.Tensor('bool', [true], [1]);
  return feeds;
}

function integers({ type }: ValueInfo, values: readonly number[], shape: number[]): ort.Tensor {
  if (type === 'int32') return new ort.Tensor('int32', Int32Array.from(values), shape);
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

/** [rows, positions]: the tokens of the past, and those of the pass in the last positions. */
function maskOf({ type }: ValueInfo, rows: readonly RowInput[], width: number): ort.Tensor {
  const positions = width + longest(rows);
  const size = rows.length * positions;
  const shape = [rows.length, positions];
  const ranges = rows.flatMap(({ cache, ids }, row) => [
    [row * positions, row * positions + cache.length] as const,
    [(row + 1) * positions - ids.length, (row + 1) * positions] as const,
  ]);
  if (type === 'int32') {
    const mask = new Int32Array(size);
    for (const [from, to] of ranges) mask.fill(1, from, to);
    return new ort.Tensor('int32', mask, shape);
  }
  const mask = new BigInt64Array(size);
  for (const [from, to] of ranges) mask.fill(1n, from, to);
  return new ort.Tensor('int64', mask, shape);
}
