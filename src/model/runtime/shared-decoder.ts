/**
 * Decoders that share the passes of one session. While a dialogue listens its cache stands alone, in tensors of exactly its
 * length; from its first own token on it has a seat in the block, which it leaves for its next chunk.
 */
import { type Decoder, type DecoderParts, type Pass, runChunk, takeLayers } from './decoder.ts';
import { createExactCache, type ExactCache } from './exact-cache.ts';
import { createPassQueue, type PassQueue } from './pass-queue.ts';
import { copySeat, createStepBlock, leaveSeat, type Seat, type StepBlock, takeSeat } from './step-block.ts';
import { runSteps, type StepOutput } from './step-pass.ts';

/**
 * @param rowsPerPass how many dialogues a pass may take, as `probe-steps.ts` gives it
 * @returns opens one more dialogue's decoder
 */
export function createSharedDecoders(parts: DecoderParts, rowsPerPass: number): () => Decoder {
  const block = createStepBlock(parts.io.slots);
  const queue = createPassQueue<Step, StepOutput>({
    rowsPerPass,
    runSteps: (steps) => {
      parts.beforePass?.();
      const taken = steps.map(({ id, takeSeat }) => ({ id, seat: takeSeat() }));
      return runSteps(parts, block, taken);
    },
  });
  const shared = { parts, block, queue, chunkPass: runChunk(parts) };
  return () => openShared(shared, createExactCache(parts.io.slots));
}

interface Step {
  id: number;
  /** Called when no pass is under way, for the block is moved by it. */
  takeSeat(): Seat;
}

interface Shared {
  parts: DecoderParts;
  block: StepBlock;
  queue: PassQueue<Step, StepOutput>;
  chunkPass: ReturnType<typeof runChunk>;
}

function openShared(shared: Shared, cache: ExactCache): Decoder {
  const { parts, queue, chunkPass } = shared;
  const held = holdTokens(shared.block, cache);
  const step = async (id: number, layers: readonly number[]): Promise<Pass> => {
    const { logits, states } = await queue.step({ id, takeSeat: held.takeSeat });
    return { logits, states: takeLayers(states, layers) };
  };
  return {
    cache: held,
    run: (ids, layers) => {
      const [id] = ids;
      if (ids.length === 1 && id !== undefined) return step(id, layers);
      return queue.chunk(() => {
        held.leaveSeat();
        return chunkPass(cache, ids, layers);
      });
    },
    fork: () => {
      const copy = createExactCache(parts.io.slots);
      copy.replace(held.data(), held.length);
      return openShared(shared, copy);
    },
    close: () => {
      held.truncate(0);
      if (held.isSeated()) void queue.chunk(() => Promise.resolve(held.leaveSeat()));
    },
  };
}

/** The tokens of one dialogue, in its own cache or in the block. */
interface HeldTokens {
  readonly length: number;
  truncate(length: number): void;
  /** By slot, [1, heads, length, head dims]. */
  data(): Float32Array[];
  isSeated(): boolean;
  /** Taking and leaving a seat move the rows of others, so both are called when no pass is under way. */
  takeSeat(): Seat;
  leaveSeat(): void;
}

function holdTokens(block: StepBlock, cache: ExactCache): HeldTokens {
  let seat: Seat | undefined;
  const data = (): Float32Array[] => (seat ? copySeat(block, seat) : cache.data());
  return {
    get length() {
      return seat ? seat.length : cache.length;
    },
    truncate: (length) => {
      if (!seat) cache.truncate(length);
      else seat.length = Math.min(seat.length, length);
    },
    data,
    isSeated: () => seat !== undefined,
    takeSeat: () => {
      seat ??= takeSeat(block, cache.data(), cache.length);
      cache.truncate(0);
      return seat;
    },
    leaveSeat: () => {
      if (!seat) return;
      cache.replace(data(), seat.length);
      leaveSeat(block, seat);
      seat = undefined;
    },
  };
}
