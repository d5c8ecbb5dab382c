/**
 * Keeps a decoder's cache in agreement with a plan: the common beginning stays, the rest is rewound, and what is
 * missing is run. It does not know who speaks.
 */
import type { Decoder, Pass } from '../runtime/decoder.ts';
import { type Chunk, commonChunks, countTokens } from './prompt-plan.ts';

export interface PromptCache {
  /** Runs the missing part of a plan. */
  follow(plan: readonly Chunk[], options: FollowOptions): Promise<void>;
  /**
   * As `follow`; gives the pass of the plan's last chunk with all of `layers`, which is run again only if necessary.
   */
  followTo(plan: readonly Chunk[], layers: readonly number[]): Promise<Pass>;
  /** Runs one more chunk after the present ones. */
  append(chunk: Chunk, layers: readonly number[]): Promise<Pass>;
  /** [dims]: mean of layer 0 over all tokens in the cache. */
  meanEmbedding(): Float32Array;
  length(): number;
  /** Another cache that holds the same, by copy: what is run on one is not seen by the other. */
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

interface Held extends Chunk {
  /** [dims]: sum of layer 0 over the chunk's tokens. */
  embeddingSum: Float64Array;
  /** The pass of a tentative chunk that is not reported yet. */
  untold?: Pass | undefined;
}

export function createPromptCache(decoder: Decoder, dims: number): PromptCache {
  return openPromptCache(decoder, dims, { held: [], lastPass: undefined });
}

/** What a fork begins with. */
interface Begun {
  held: Held[];
  lastPass: Pass | undefined;
}

function openPromptCache(decoder: Decoder, dims: number, begun: Begun): PromptCache {
  let { held, lastPass } = begun;
  const rewind = (chunks: number): void => {
    if (chunks >= held.length) return;
    held = held.slice(0, chunks);
    lastPass = undefined;
    decoder.cache.truncate(countTokens(held));
  };
  const append: PromptCache['append'] = async (chunk, layers) => {
    try {
      lastPass = await decoder.run(chunk.ids, [...new Set([0, ...layers])]);
      held.push({ ...chunk, embeddingSum: sumRows(lastPass.states.get(0), dims) });
      return lastPass;
    } catch (error) {
      rewind(0);
      throw error;
    }
  };
  const follow: PromptCache['follow'] = async (plan, options) => {
    rewind(commonChunks(held, plan));
    for (const chunk of held) tell(chunk, options);
    for (const chunk of plan.slice(held.length)) {
      const untold = await append(chunk, options.layersOf(chunk, chunk === plan.at(-1)));
      tell(Object.assign(held.at(-1) as Held, { untold }), options);
    }
  };
  const followTo: PromptCache['followTo'] = async (plan, layers) => {
    const same = held.length === plan.length && commonChunks(held, plan) === plan.length;
    if (same && hasLayers(lastPass, layers)) return lastPass;
    rewind(plan.length - 1);
    await follow(plan, { layersOf: (_, last) => (last ? layers : []), onPass: () => undefined });
    return lastPass as Pass;
  };
  const length = (): number => decoder.cache.length;
  const fork = (): PromptCache => openPromptCache(decoder.fork(), dims, { held: [...held], lastPass });
  const close = (): void => decoder.close();
  return { follow, followTo, append, meanEmbedding: () => mean(held, dims), length, fork, close };
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
