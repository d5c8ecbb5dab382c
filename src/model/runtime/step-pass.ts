/** A pass that takes one token of each of several dialogues, whose keys and values are in a block. */
import ort from '../../onnx/runtime.ts';
import { type GraphIo, PASS, type ValueInfo } from './graph-io.ts';
import { rowFloats } from './kv-cache.ts';
import { passFault } from './runtime-errors.ts';
import { appendTokens, blockFeeds, type BlockRow, type StepBlock } from './step-block.ts';

export interface StepParts {
  session: ort.InferenceSession;
  io: GraphIo;
  /** Number of states in the packed output: L + 1. */
  states: number;
  dims: number;
}

export interface Step {
  blockRow: BlockRow;
  id: number;
}

/** Output of a pass for one dialogue's token. */
export interface StepOutput {
  /** [vocabulary] */
  logits: Float32Array;
  /** One array [dims] per layer 0..L. */
  states: Float32Array[];
}

/** Runs the tokens and adds them to their rows. */
export async function runSteps(
  { session, io, states, dims }: StepParts,
  block: StepBlock,
  steps: readonly Step[],
): Promise<StepOutput[]> {
  const blockRows = steps.map(({ blockRow }) => blockRow);
  const feeds = { ...blockFeeds(block, blockRows), ...tokenFeeds(io, block, steps) };
  const packed = await runPacked(session, feeds);
  const count = steps.length;
  const rowSize = rowFloats(io.slots);
  const rows = packed.subarray(packed.length - count * rowSize);
  const vocabulary = packed.length / count - states * dims - rowSize;
  appendTokens(block, blockRows, rows);
  return steps.map((_, row) => {
    const logits = packed.subarray(row * vocabulary, (row + 1) * vocabulary);
    const of = (layer: number): number => count * vocabulary + (layer * count + row) * dims;
    return { logits, states: Array.from({ length: states }, (_, l) => packed.subarray(of(l), of(l) + dims)) };
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

function tokenFeeds(io: GraphIo, block: StepBlock, steps: readonly Step[]): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  const column = (info: ValueInfo, values: number[]): void => {
    feeds[info.name] = integers(info, values, [steps.length, 1]);
  };
  column(
    io.ids,
    steps.map(({ id }) => id),
  );
  if (io.positions)
    column(
      io.positions,
      steps.map(({ blockRow }) => blockRow.length),
    );
  if (io.mask) feeds[io.mask.name] = maskOf(io.mask, block, steps);
  if (io.useCache) feeds[io.useCache.name] = new ort.Tensor('bool', [true], [1]);
  return feeds;
}

function integers({ type }: ValueInfo, values: readonly number[], shape: number[]): ort.Tensor {
  if (type === 'int32') return new ort.Tensor('int32', Int32Array.from(values), shape);
  return new ort.Tensor('int64', BigInt64Array.from(values, BigInt), shape);
}

/** [steps, positions]: the tokens of the past, and that of the pass in the last place. */
function maskOf({ type }: ValueInfo, { width }: StepBlock, steps: readonly Step[]): ort.Tensor {
  const positions = width + 1;
  const shape = [steps.length, positions];
  const size = steps.length * positions;
  const starts = steps.map(
    ({ blockRow }, row) => [row * positions, row * positions + blockRow.length] as const,
  );
  if (type === 'int32') {
    const mask = new Int32Array(size);
    for (const [from, to] of starts) mask.fill(1, from, to).fill(1, from + width, from + positions);
    return new ort.Tensor('int32', mask, shape);
  }
  const mask = new BigInt64Array(size);
  for (const [from, to] of starts) mask.fill(1n, from, to).fill(1n, from + width, from + positions);
  return new ort.Tensor('int64', mask, shape);
}
