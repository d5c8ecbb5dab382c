/**
 * Beginnings of prompts that dialogues share: the system prompt of a role, over the episodes of its scenario. One that
 * was computed is held, and the next dialogue takes a copy of it: the same chunks give the same bits.
 */
import type { Decoder } from '../runtime/decoder.ts';
import { type Chunk, commonChunks, countTokens } from './prompt-plan.ts';

export interface PrefixCache {
  /** The longest beginning of `plan` that is held, without its last chunk, whose pass is wanted itself. */
  find(plan: readonly Chunk[]): Prefix | undefined;
  /** Holds a beginning; the one used longest ago is given up for it where there is no room. */
  keep(prefix: Prefix): void;
}

export interface Prefix {
  chunks: readonly KnownChunk[];
  /** Holds the chunks' tokens; copied by whoever goes on from there. */
  decoder: Pick<Decoder, 'fork' | 'close'>;
}

export interface KnownChunk extends Chunk {
  /** [dims]: sum of layer 0 over the chunk's tokens. */
  embeddingSum: Float64Array;
}

/** @param tokenBytes bytes of keys and values that a token takes */
export function createPrefixCache({
  maxBytes,
  tokenBytes,
}: {
  maxBytes: number;
  tokenBytes: number;
}): PrefixCache {
  const maxTokens = Math.floor(maxBytes / tokenBytes);
  /** The one used last stands last. */
  let held: Prefix[] = [];
  const touch = (prefix: Prefix): void => {
    held = [...held.filter((other) => other !== prefix), prefix];
  };
  const tokensOf = (prefixes: readonly Prefix[]): number =>
    prefixes.reduce((sum, { chunks }) => sum + countTokens(chunks), 0);
  return {
    find: (plan) => {
      const begins = ({ chunks }: Prefix): boolean =>
        chunks.length < plan.length && commonChunks(chunks, plan) === chunks.length;
      const [longest] = held.filter(begins).toSorted((a, b) => b.chunks.length - a.chunks.length);
      if (longest) touch(longest);
      return longest;
    },
    keep: (prefix) => {
      const isKnown = ({ chunks }: Prefix): boolean =>
        chunks.length === prefix.chunks.length && commonChunks(chunks, prefix.chunks) === chunks.length;
      if (countTokens(prefix.chunks) > maxTokens || held.some(isKnown)) return prefix.decoder.close();
      touch(prefix);
      while (tokensOf(held) > maxTokens) held.shift()?.decoder.close();
    },
  };
}

/** How many chunks of a plan stand before all turns, and may be shared. */
export function sharedChunks(plan: readonly Chunk[]): number {
  const others = plan.findIndex(({ segment }) => segment > 0);
  return Math.max(0, Math.min(others < 0 ? plan.length : others, plan.length - 1));
}
