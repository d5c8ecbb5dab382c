/** Runs forward passes over one cache: token ids in, logits and layer states out. It knows nothing of text. */
import ort from '../../onnx/runtime.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { type GraphIo, PASS } from './graph-io.ts';
import { createDeviceCache, type DeviceMemory } from './device/device-cache.ts';
import { unpackWanted, wantedFeed } from './device/wanted-states.ts';
import { createFixedCache } from './fixed-cache.ts';
import { createGrowingCache } from './growing-cache.ts';
import { type KvCache, rowFloats } from './kv-cache.ts';
import { patchFeeds, type StatePatch } from './patched-passes.ts';
import { passFault } from './runtime-errors.ts';
import { createTensorLimit } from './tensor-limit.ts';
import { createTokenFeeds } from './token-feeds.ts';

export interface DecoderParts {
  session: ort.InferenceSession;
  io: GraphIo;
  /** Number of states in the packed output: L + 1. */
  states: number;
  dims: number;
  /** Whether the attention can write into one buffer that is both past and present. */
  sharedCache: boolean;
  /** Given where the cache stays in the device's memory. */
  device?: DeviceMemory | undefined;
  beforePass?: (() => void) | undefined;
  /** Gives the parts for passes in which a state is moved, where some are; absent: none ever is. */
  patched?: (() => DecoderParts | undefined) | undefined;
}

export interface Pass {
  /** [vocabulary] of the last token. */
  logits: Float32Array;
  /** Layer → [tokens, dims], for the layers asked for. */
  states: Map<number, Float32Array>;
}

export interface Decoder {
  readonly cache: Pick<KvCache, 'length' | 'truncate'>;
  /** @param patch added to a state at the last of the tokens; they have a pass of their own then */
  run(ids: readonly number[], layers: readonly number[], patch?: StatePatch): Promise<Pass>;
  /**
   * A copy with the same tokens in its own cache. The tokens of a decoder that yields are computed after those of
   * decoders that do not.
   */
  fork(yields?: boolean): Decoder;
  /** Releases its memory. */
  close(): void;
}

/** Creates a decoder with an empty cache over a session that may serve others, one dialogue per pass. */
export function createDecoder(parts: DecoderParts): Decoder {
  return openOwn(createCache(parts), runPatched(parts));
}

function createCache({ io, sharedCache, device }: DecoderParts): KvCache {
  if (sharedCache) return createFixedCache(io.slots);
  return device ? createDeviceCache(io.slots, device) : createGrowingCache(io);
}

function openOwn(cache: KvCache, pass: ChunkPass): Decoder {
  return {
    cache,
    run: (ids, layers, patch) => pass(cache, ids, { layers, patch }),
    fork: () => openOwn(cache.fork(), pass),
    close: () => cache.truncate(0),
  };
}

/** The parts of a cache that a pass needs. */
type PassCache = Pick<KvCache, 'length' | 'settle' | 'feeds' | 'fetches' | 'advance'>;
type ChunkPass = (cache: PassCache, ids: readonly number[], wanted: Wanted) => Promise<Pass>;

interface Wanted {
  layers: readonly number[];
  /** Added to a state at the last of the tokens. */
  patch?: StatePatch | undefined;
}

/** As `runChunk`; a pass with a patch runs in the session for those. */
function runPatched(parts: DecoderParts): ChunkPass {
  const plain = runChunk(parts);
  return (cache, ids, wanted) => {
    const patched = wanted.patch && parts.patched?.();
    return (patched ? runChunk(patched) : plain)(cache, ids, wanted);
  };
}

/** Runs a pass over the next tokens of one dialogue. */
function runChunk(parts: DecoderParts): ChunkPass {
  const { session, io } = parts;
  const tokenFeeds = createTokenFeeds(io);
  const checkSize = createTensorLimit({ io, stateFloats: parts.states * parts.dims });
  const unpack = createUnpack(parts);
  return async (cache, ids, { layers, patch }) => {
    parts.beforePass?.();
    const tokens = ids.length;
    checkSize(tokens, cache.length);
    await cache.settle?.();
    const moved = patchFeeds(io, { tokens, dims: parts.dims, patch });
    const chosen = io.wanted ? wantedFeed(io.wanted, { layers, tokens }) : {};
    const feeds = { ...tokenFeeds(ids, cache.length), ...cache.feeds(tokens), ...moved, ...chosen };
    const outputs = await runSession(session, feeds, { [PASS]: null, ...cache.fetches(tokens) });
    const packed = (outputs[PASS] as ort.Tensor).data as Float32Array;
    const { logits, states, rows } = unpack(packed, { tokens, layers });
    cache.advance(outputs, { tokens, rows });
    return { logits, states: takeLayers(states, layers) };
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

interface Unpacked {
  logits: Float32Array;
  /** By layer, [tokens, dims]; where the graph chooses them, those asked for. */
  states: readonly (Float32Array | undefined)[];
  rows: Float32Array;
}

type Unpack = (packed: Float32Array, asked: { tokens: number; layers: readonly number[] }) => Unpacked;

/** Unpacks the output of a pass, whose layout `pack-outputs.ts` and `pack-wanted.ts` describe. */
function createUnpack({ io, states: count, dims }: DecoderParts): Unpack {
  const rowSize = io.recent ? rowFloats(io.slots) : 0;
  const vocabulary = io.logits.shape.at(-1);
  const check = (logits: Float32Array, packed: Float32Array): void => {
    if (typeof vocabulary === 'number' && logits.length !== vocabulary) throw wrongSize(packed.length, dims);
  };
  return (packed, { tokens, layers }) => {
    if (io.wanted) {
      const wanted = unpackWanted(packed, { tokens, layers, dims });
      check(wanted.logits, packed);
      return { ...wanted, rows: NO_ROWS };
    }
    const rows = packed.subarray(packed.length - tokens * rowSize);
    const size = tokens * dims;
    const logits = packed.subarray(0, packed.length - rows.length - count * size);
    check(logits, packed);
    const states = Array.from({ length: count }, (_, layer) => {
      return packed.subarray(logits.length + layer * size, logits.length + (layer + 1) * size);
    });
    return { logits, states, rows };
  };
}

const NO_ROWS = new Float32Array(0);

function wrongSize(numbers: number, dims: number): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `A pass gives ${numbers} numbers, which do not divide into states of ${dims} each; check hidden_size in config.json.`,
  );
}

/** @throws EntrainError `STATE_NOT_FINITE` */
export function takeLayers(
  states: readonly (Float32Array | undefined)[],
  layers: readonly number[],
): Map<number, Float32Array> {
  const taken = new Map<number, Float32Array>();
  for (const layer of layers) {
    const state = states[layer];
    if (!state) continue;
    if (!isFinite(state)) throw notFinite(layer);
    taken.set(layer, state);
  }
  return taken;
}

/** Zero times a number that is not finite is not zero; one test at the end costs less than one per number. */
function isFinite(values: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] as number) * 0;
  return sum === 0;
}

function notFinite(layer: number): EntrainError {
  return new EntrainError(
    'STATE_NOT_FINITE',
    `The hidden state of layer ${layer} holds NaN or infinity, expected finite numbers; use a float32 export of the model.`,
  );
}
