/**
 * Decoders that share the passes of one session. While a dialogue listens, its cache is separate, in tensors of
 * exactly its length. From its first own token until its next chunk it has a row in the shared block.
 */
import {
  type ChunkPass,
  type Decoder,
  type DecoderParts,
  type Pass,
  runPatched,
  takeLayers,
} from './decoder.ts';
import { createExactCache, type ExactCache } from './exact-cache.ts';
import { createPassQueue, type PassQueue } from './pass-queue.ts';
import { copyRow, createStepBlock, leaveRow, type BlockRow, type StepBlock, takeRow } from './step-block.ts';
import { runSteps, type StepOutput } from './step-pass.ts';

/**
 * @param rowsPerPass how many dialogues a pass may take, from `probe-steps.ts`
 * @returns a function that opens the decoder of one more dialogue
 */
export function createSharedDecoders(parts: DecoderParts, rowsPerPass: number): () => Decoder {
  const block = createStepBlock(parts.io.slots);
  const queue = createPassQueue<Step, StepOutput>({
    rowsPerPass,
    runSteps: (steps) => {
      parts.beforePass?.();
      const taken = steps.map(({ id, takeRow }) => ({ id, blockRow: takeRow() }));
      return runSteps(parts, block, taken);
    },
  });
  const shared = { parts, block, queue, chunkPass: runPatched(parts) };
  return () => openShared(shared, createExactCache(parts.io.slots), false);
}

interface Step {
  id: number;
  /** Called when no pass is running, since it may move the block. */
  takeRow(): BlockRow;
}

interface Shared {
  parts: DecoderParts;
  block: StepBlock;
  queue: PassQueue<Step, StepOutput>;
  chunkPass: ChunkPass;
}

function openShared(shared: Shared, cache: ExactCache, yields: boolean): Decoder {
  const { parts, queue, chunkPass } = shared;
  const held = holdTokens(shared.block, cache);
  const step = async (id: number, layers: readonly number[]): Promise<Pass> => {
    const { logits, states } = await queue.step({ id, takeRow: held.takeRow }, yields);
    return { logits, states: takeLayers(states, layers) };
  };
  return {
    cache: held,
    run: (ids, layers, patch) => {
      const [id] = ids;
      if (ids.length === 1 && id !== undefined && !patch) return step(id, layers);
      return queue.chunk(() => {
        held.leaveRow();
        return chunkPass(cache, ids, { layers, patch });
      });
    },
    fork: (forkYields = yields) => {
      const copy = createExactCache(parts.io.slots);
      copy.replace(held.data(), held.length);
      return openShared(shared, copy, forkYields);
    },
    close: () => {
      held.truncate(0);
      if (held.isInBlock()) void queue.chunk(() => Promise.resolve(held.leaveRow()));
    },
  };
}

/** The tokens of one dialogue, in its own cache or in the block. */
interface HeldTokens {
  readonly length: number;
  truncate(length: number): void;
  /** One array [1, heads, length, head dims] per slot. */
  data(): Float32Array[];
  isInBlock(): boolean;
  /** Taking and leaving a row moves others, so both are called when no pass is running. */
  takeRow(): BlockRow;
  leaveRow(): void;
}

function holdTokens(block: StepBlock, cache: ExactCache): HeldTokens {
  let blockRow: BlockRow | undefined;
  const data = (): Float32Array[] => (blockRow ? copyRow(block, blockRow) : cache.data());
  return {
    get length() {
      return blockRow ? blockRow.length : cache.length;
    },
    truncate: (length) => {
      if (!blockRow) cache.truncate(length);
      else blockRow.length = Math.min(blockRow.length, length);
    },
    data,
    isInBlock: () => blockRow !== undefined,
    takeRow: () => {
      blockRow ??= takeRow(block, cache.data(), cache.length);
      cache.truncate(0);
      return blockRow;
    },
    leaveRow: () => {
      if (!blockRow) return;
      cache.replace(data(), blockRow.length);
      leaveRow(block, blockRow);
      blockRow = undefined;
    },
  };
}
