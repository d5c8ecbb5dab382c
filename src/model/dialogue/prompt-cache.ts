/**
 * Keeps a decoder's cache in agreement with a plan: the common beginning stays, the rest is rewound, and what is
 * missing is run. It does not know who speaks.
 */
import type { Decoder, Pass } from '../runtime/decoder.ts';
import { type KnownChunk, type Prefix, type PrefixCache, sharedChunks } from './prefix-cache.ts';
import type { StatePatch } from '../runtime/patched-passes.ts';
import { type Chunk, commonChunks, countTokens } from './prompt-plan.ts';

export interface PromptCache {
  /** Runs the missing part of a plan. */
  follow(plan: readonly Chunk[], options: FollowOptions): Promise<void>;
  /**
   * As `follow`; gives the pass of the plan's last chunk with all of `layers`, which is run again only if necessary.
   */
  followTo(plan: readonly Chunk[], layers: readonly number[]): Promise<Pass>;
  /**
   * Runs the last chunk of a plan again, with a state moved at its last position. The cache must hold the chunks before
   * it.
   */
  patchLast(plan: readonly Chunk[], patch: StatePatch): Promise<Pass>;
  /** Runs one more chunk after the present ones. */
  append(chunk: Chunk, layers: readonly number[]): Promise<Pass>;
  /** [dims]: mean of layer 0 over all tokens in the cache. */
  meanEmbedding(): Float32Array;
  length(): number;
  /**
   * Another cache that holds the same, by copy: what is run on one is not seen by the other. Its tokens are computed
   * after those of caches that are no forks.
   */
  fork(): PromptCache;
  close(): void;
}

export interface FollowOptions {
  /** Layers wanted of a chunk. */
  layersOf(chunk: Chunk, last: boolean): readonly number[];
  onPass(chunk: Chunk, pass: Pass): void;
  /** Whether a chunk may turn out wrong; its pass is kept, and reported by the first plan in which it is certain. */
  isTentative?(chunk: Chunk): boolean;
}

interface Held extends KnownChunk {
  /** The pass of a tentative chunk. */
  untold?: Pass | undefined;
}

export interface PromptCacheParts {
  decoder: Decoder;
  dims: number;
  /** Beginnings that dialogues share. */
  prefixes?: PrefixCache | undefined;
  /** Whether the tokens are computed after those of caches that do not yield. */
  yields?: boolean;
}

export function createPromptCache(parts: PromptCacheParts): PromptCache {
  return followPlans(holdChunks(parts, { chunks: [], lastPass: undefined }));
}

/** The chunks that a decoder holds. */
interface Holding {
  chunks(): readonly Held[];
  /** Of the last chunk; undefined after a step back. */
  lastPass(): Pass | undefined;
  rewind(chunks: number): void;
  append(chunk: Chunk, layers: readonly number[], patch?: StatePatch): Promise<Pass>;
  /** Where nothing is held: takes over a beginning of the plan that another dialogue computed. */
  begin(plan: readonly Chunk[]): void;
  /** Gives what is held to other dialogues, where it is all of the plan that they may share. */
  share(plan: readonly Chunk[]): void;
  length(): number;
  meanEmbedding(): Float32Array;
  fork(): Holding;
  close(): void;
}

/** What a fork begins with. */
interface Begun {
  chunks: readonly Held[];
  lastPass: Pass | undefined;
}

function holdChunks(parts: PromptCacheParts, { chunks, ...begun }: Begun): Holding {
  let { decoder } = parts;
  let held = [...chunks];
  let { lastPass } = begun;
  const rewind = (to: number): void => {
    if (to >= held.length) return;
    held = held.slice(0, to);
    lastPass = undefined;
    decoder.cache.truncate(countTokens(held));
  };
  const forget = (error: unknown): never => {
    rewind(0);
    throw error;
  };
  return {
    chunks: () => held,
    lastPass: () => lastPass,
    rewind,
    append: async (chunk, layers, patch) => {
      const pass = await decoder.run(chunk.ids, [...new Set([0, ...layers])], patch).catch(forget);
      held.push({ ...chunk, embeddingSum: sumRows(pass.states.get(0), parts.dims) });
      return (lastPass = pass);
    },
    begin: (plan) => {
      const prefix = held.length === 0 ? parts.prefixes?.find(plan) : undefined;
      if (!prefix) return;
      decoder.close();
      decoder = prefix.decoder.fork(parts.yields ?? false);
      held = prefix.chunks.map((chunk) => ({ ...chunk }));
    },
    share: (plan) => {
      if (held.length === sharedChunks(plan)) parts.prefixes?.keep(prefixOf(held, decoder));
    },
    length: () => decoder.cache.length,
    meanEmbedding: () => mean(held, parts.dims),
    fork: () =>
      holdChunks({ ...parts, decoder: decoder.fork(true), yields: true }, { chunks: held, lastPass }),
    close: () => decoder.close(),
  };
}

function followPlans(holding: Holding): PromptCache {
  const { chunks, rewind, append, meanEmbedding, length, close } = holding;
  const follow: PromptCache['follow'] = async (plan, options) => {
    rewind(commonChunks(chunks(), plan));
    holding.begin(plan);
    for (const chunk of chunks()) tell(chunk, options);
    for (const chunk of plan.slice(chunks().length)) {
      const untold = await append(chunk, options.layersOf(chunk, chunk === plan.at(-1)));
      tell(Object.assign(chunks().at(-1) as Held, { untold }), options);
      holding.share(plan);
    }
  };
  const followTo: PromptCache['followTo'] = async (plan, layers) => {
    const same = chunks().length === plan.length && commonChunks(chunks(), plan) === plan.length;
    const last = holding.lastPass();
    if (same && hasLayers(last, layers)) return last;
    rewind(plan.length - 1);
    await follow(plan, { layersOf: (_, isLast) => (isLast ? layers : []), onPass: () => undefined });
    return holding.lastPass() as Pass;
  };
  const patchLast: PromptCache['patchLast'] = async (plan, patch) => {
    rewind(plan.length - 1);
    return append(plan.at(-1) as Chunk, [], patch);
  };
  const fork = (): PromptCache => followPlans(holding.fork());
  return {
    follow,
    followTo,
    patchLast,
    append: (chunk, layers) => append(chunk, layers),
    meanEmbedding,
    length,
    fork,
    close,
  };
}

function prefixOf(held: readonly Held[], decoder: Decoder): Prefix {
  return { chunks: held.map(withoutPass), decoder: decoder.fork() };
}

function withoutPass({ ids, words, segment, step0, open, embeddingSum }: Held): KnownChunk {
  return { ids, words, segment, step0, open, embeddingSum };
}

function tell(chunk: Held, { onPass, isTentative }: FollowOptions): void {
  if (!chunk.untold || isTentative?.(chunk)) return;
  onPass(chunk, chunk.untold);
  chunk.untold = undefined;
}

function hasLayers(pass: Pass | undefined, layers: readonly number[]): pass is Pass {
  return pass !== undefined && layers.every((layer) => pass.states.has(layer));
}

/** @param rows [tokens, dims] */
function sumRows(rows: Float32Array | undefined, dims: number): Float64Array {
  const sum = new Float64Array(dims);
  if (!rows) return sum;
  for (let start = 0; start < rows.length; start += dims) {
    for (let i = 0; i < dims; i++) sum[i] = (sum[i] as number) + (rows[start + i] as number);
  }
  return sum;
}

function mean(held: readonly Held[], dims: number): Float32Array {
  const sum = new Float64Array(dims);
  for (const { embeddingSum } of held) {
    for (let i = 0; i < dims; i++) sum[i] = (sum[i] as number) + (embeddingSum[i] as number);
  }
  const tokens = Math.max(1, countTokens(held));
  return Float32Array.from(sum, (value) => value / tokens);
}
