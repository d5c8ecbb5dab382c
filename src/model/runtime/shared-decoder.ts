/**
 * Decoders that share the passes of one session. Each dialogue has keys and values of its own, of which passes get
 * copies: `step-block.ts` for tokens that it speaks, `chunk-pass.ts` for chunks of its prompt.
 */
import { type ChunkLimits, chooseChunks, createChunkScratch, runChunks } from './chunk-pass.ts';
import { type Decoder, type DecoderParts, takeLayers } from './decoder.ts';
import { createDialogueCache, type DialogueCache } from './dialogue-cache.ts';
import { createPassQueue, type PassQueue } from './pass-queue.ts';
import type { RowInput, RowOutput } from './run-rows.ts';
import { createStepBlock, leaveBlock, runSteps, type StepBlock, truncateRow } from './step-block.ts';

/** How many dialogues a pass may take, from `probe-passes.ts`. */
export interface PassLimits {
  /** Of passes over one token of each. */
  rowsPerPass: number;
  chunks: ChunkLimits;
}

/** @returns a function that opens the decoder of one more dialogue */
export function createSharedDecoders(
  parts: DecoderParts,
  { rowsPerPass, chunks }: PassLimits,
): (yields?: boolean) => Decoder {
  const { slots } = parts.io;
  const block = createStepBlock(slots);
  const scratch = createChunkScratch(slots);
  const queue = createPassQueue<RowInput, RowOutput>({
    rowsPerPass,
    runSteps: (rows) => {
      parts.beforePass?.();
      return runSteps(parts, block, rows);
    },
    chooseChunks: (rows) => chooseChunks(rows, chunks),
    runChunks: (rows) => {
      parts.beforePass?.();
      const used = rows[0]?.patch ? (parts.patched?.() ?? parts) : parts;
      return runChunks(used, { scratch, segment: chunks.segment }, rows);
    },
  });
  return (yields = false) => openShared({ block, queue }, createDialogueCache(slots), yields);
}

interface Shared {
  block: StepBlock;
  queue: PassQueue<RowInput, RowOutput>;
}

function openShared(shared: Shared, cache: DialogueCache, yields: boolean): Decoder {
  const { block, queue } = shared;
  const truncate = (length: number): void => {
    cache.truncate(length);
    truncateRow(block, cache, length);
  };
  return {
    cache: {
      get length() {
        return cache.length;
      },
      truncate,
    },
    run: async (ids, layers, patch) => {
      const row = { cache, ids, patch };
      const { logits, states } = await (ids.length === 1 && !patch
        ? queue.step(row, yields)
        : queue.chunk(row, yields));
      return { logits, states: takeLayers(states, layers) };
    },
    fork: (forkYields = yields) => openShared(shared, cache.fork(), forkYields),
    close: () => {
      truncate(0);
      leaveBlock(block, cache);
    },
  };
}
