/** One forward pass after another over one cache: token ids in, logits and layer states out. It knows nothing of text. */
import ort from 'onnxruntime-node';
import { EntrainError } from '../protocol/errors.ts';
import { toFloat32 } from './float16.ts';
import type { GraphIo, ValueInfo } from './graph-io.ts';
import { createFixedCache } from './fixed-cache.ts';
import { createGrowingCache } from './growing-cache.ts';
import type { KvCache } from './kv-cache.ts';
import { passFault } from './runtime-faults.ts';
import { createTensorLimit } from './tensor-limit.ts';

export interface DecoderParts {
  session: ort.InferenceSession;
  io: GraphIo;
  /** Names of the outputs that hold layers 0..L. */
  taps: readonly string[];
  dims: number;
  /** The attention can write into one buffer that is both past and present. */
  sharedCache: boolean;
  beforePass?: (() => void) | undefined;
}

export interface Pass {
  /** [vocabulary]: of the last token. */
  logits: Float32Array;
  /** By layer asked for: [tokens, dims]. */
  states: Map<number, Float32Array>;
}

export interface Decoder {
  readonly cache: KvCache;
  run(ids: readonly number[], layers: readonly number[]): Promise<Pass>;
}

/** A fresh cache over a session that may serve others. */
export function createDecoder(parts: DecoderParts): Decoder {
  const { session, io } = parts;
  const tokenFeeds = createTokenFeeds(io);
  const checkSize = createTensorLimit(io);
  const cache = parts.sharedCache ? createFixedCache(io.slots) : createGrowingCache(io.slots);
  return {
    cache,
    run: async (ids, layers) => {
      parts.beforePass?.();
      checkSize(ids.length, cache.length);
      const names = [io.logits.name, ...layers.map((layer) => parts.taps[layer] ?? '')];
      const feeds = { ...tokenFeeds(ids, cache.length), ...cache.feeds(ids.length) };
      const fetches = { ...Object.fromEntries(names.map((name) => [name, null])), ...cache.fetches() };
      const outputs = await runSession(session, feeds, fetches);
      cache.advance(outputs, ids.length);
      return readPass(parts, { ids, layers, outputs });
    },
  };
}

async function runSession(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  fetches: Record<string, ort.Tensor | null>,
): Promise<ort.InferenceSession.OnnxValueMapType> {
  try {
    return await session.run(feeds, fetches);
  } catch (cause) {
    throw passFault(cause);
  }
}

type TokenFeeds = (ids: readonly number[], past: number) => Record<string, ort.Tensor>;

/** The mask of a single, unpadded sequence is all ones: a longer and longer view of the same memory. */
function createTokenFeeds(io: GraphIo): TokenFeeds {
  const half = io.mask?.type === 'int32';
  let ones: Int32Array | BigInt64Array = half ? new Int32Array(0) : new BigInt64Array(0);
  const maskOf = (total: number): ort.Tensor => {
    if (ones.length < total) {
      const length = Math.max(FIRST_MASK, total * 2);
      ones = half ? new Int32Array(length).fill(1) : new BigInt64Array(length).fill(1n);
    }
    return new ort.Tensor(half ? 'int32' : 'int64', ones.subarray(0, total) as BigInt64Array, [1, total]);
  };
  return (ids, past) => {
    const feeds: Record<string, ort.Tensor> = { [io.ids.name]: integerRow(io.ids, ids) };
    if (io.mask) feeds[io.mask.name] = maskOf(past + ids.length);
    if (io.positions)
      feeds[io.positions.name] = integerRow(
        io.positions,
        ids.map((_, i) => past + i),
      );
    if (io.useCache) feeds[io.useCache.name] = new ort.Tensor('bool', [past > 0], [1]);
    return feeds;
  };
}

const FIRST_MASK = 512;

/** [1, n] in the integer type the graph wants. */
function integerRow(info: ValueInfo, values: readonly number[]): ort.Tensor {
  const shape = [1, values.length];
  if (info.type === 'int32') return new ort.Tensor('int32', Int32Array.from(values), shape);
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

interface RawPass {
  ids: readonly number[];
  layers: readonly number[];
  outputs: ort.InferenceSession.OnnxValueMapType;
}

function readPass(parts: DecoderParts, raw: RawPass): Pass {
  const rows = raw.outputs[parts.io.logits.name] as ort.Tensor;
  const vocabulary = rows.dims.at(-1) ?? 0;
  const states = new Map<number, Float32Array>();
  for (const layer of raw.layers) {
    const tensor = raw.outputs[parts.taps[layer] ?? ''] as ort.Tensor;
    states.set(layer, checkState(tensor, { layer, size: raw.ids.length * parts.dims }));
  }
  return { logits: toFloat32(rows, rows.size - vocabulary), states };
}

function checkState(tensor: ort.Tensor, expected: { layer: number; size: number }): Float32Array {
  if (tensor.size !== expected.size) {
    throw new EntrainError(
      'MODEL_UNSUPPORTED',
      `The state of layer ${expected.layer} has shape ${tensor.dims.join('×')}, expected ${expected.size} numbers; check hidden_size in config.json.`,
    );
  }
  const state = toFloat32(tensor, 0);
  for (const value of state) {
    if (!Number.isFinite(value)) throw notFinite(expected.layer);
  }
  return state;
}

function notFinite(layer: number): EntrainError {
  return new EntrainError(
    'STATE_NOT_FINITE',
    `The hidden state of layer ${layer} holds NaN or infinity, expected finite numbers; use a float32 export of the model.`,
  );
}
