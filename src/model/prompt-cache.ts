/**
 * Keeps a decoder's cache in step with a plan: what agrees stays, what disagrees is rewound, what is missing is run.
 * It knows nothing of who speaks.
 */
import type { Decoder, Pass } from './decoder.ts';
import { type Chunk, commonChunks, countTokens } from './prompt-plan.ts';

export interface PromptCache {
  /** Runs what is missing; `onPass` sees every chunk that was run. Resolves to the pass of the last chunk. */
  follow(plan: readonly Chunk[], options: FollowOptions): Promise<Pass | undefined>;
  /** Runs one more chunk behind what is there. */
  append(chunk: Chunk, layers: readonly number[]): Promise<Pass>;
  /** [dims]: mean of layer 0 over all tokens held. */
  meanEmbedding(): Float32Array;
  length(): number;
}

export interface FollowOptions {
  /** The last chunk is run even if it is there already: its logits are wanted. */
  rerunLast: boolean;
  /** Layers wanted of a chunk. */
  layersOf(chunk: Chunk, last: boolean): readonly number[];
  onPass(chunk: Chunk, pass: Pass): void;
}

interface Held extends Chunk {
  /** [dims]: sum of layer 0 over the chunk's tokens. */
  embeddingSum: Float64Array;
}

export function createPromptCache(decoder: Decoder, dims: number): PromptCache {
  let held: Held[] = [];
  const rewind = (chunks: number): void => {
    held = held.slice(0, chunks);
    decoder.cache.truncate(countTokens(held));
  };
  const append = async (chunk: Chunk, layers: readonly number[]): Promise<Pass> => {
    try {
      const pass = await decoder.run(chunk.ids, [...new Set([0, ...layers])]);
      held.push({ ...chunk, embeddingSum: sumRows(pass.states.get(0), dims) });
      return pass;
    } catch (error) {
      rewind(0);
      throw error;
    }
  };
  const follow: PromptCache['follow'] = async (plan, options) => {
    const common = commonChunks(held, plan);
    rewind(options.rerunLast ? Math.min(common, plan.length - 1) : common);
    let last: Pass | undefined;
    for (const chunk of plan.slice(held.length)) {
      const pass = await append(chunk, options.layersOf(chunk, chunk === plan.at(-1)));
      options.onPass(chunk, pass);
      last = pass;
    }
    return last;
  };
  return { follow, append, meanEmbedding: () => mean(held, dims), length: () => decoder.cache.length };
}

/** @param rows [tokens, dims] */
function sumRows(rows: Float32Array | undefined, dims: number): Float64Array {
  const sum = new Float64Array(dims);
  if (!rows) return sum;
  for (let i = 0; i < rows.length; i++) sum[i % dims] = (sum[i % dims] ?? 0) + (rows[i] ?? 0);
  return sum;
}

function mean(held: readonly Held[], dims: number): Float32Array {
  const sum = new Float64Array(dims);
  for (const { embeddingSum } of held) {
    for (let i = 0; i < dims; i++) sum[i] = (sum[i] ?? 0) + (embeddingSum[i] ?? 0);
  }
  const tokens = Math.max(1, countTokens(held));
  return Float32Array.from(sum, (value) => value / tokens);
}
