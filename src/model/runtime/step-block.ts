/**
 * Copies of the keys and values of dialogues that decode, side by side, so that one pass takes a token of each.
 *
 *   position   0 … held-1 │ masked … width-1 │ width
 *              ───────── past, by slot ───── │ the token of the pass
 *
 * `width` is a multiple of `GRAIN`, so the token of the pass begins a group of `GRAIN` positions of its own, and the
 * dialogue alone decides which tokens share a group, whatever shares the pass. A masked place adds exactly zero, and
 * kernels sum over positions in groups of a fixed width, so the results of a dialogue do not depend on the others in
 * any bit. `probe-passes.ts` tests whether that holds for a graph.
 *
 * A dialogue keeps its row from pass to pass, so a step copies its own token alone. A row is copied anew when it was
 * given to another dialogue, and when the block becomes wider.
 */
import { type DialogueCache, slotSize } from './dialogue-cache.ts';
import type { CacheSlot } from './graph-io.ts';
import { type RowInput, type RowOutput, type RowParts, runRows } from './run-rows.ts';

export const GRAIN = 16;
/** The width changes by this many positions, since all rows are then copied. */
const WIDTH_STEP = 2 * GRAIN;
/** Factor of spare space for rows and positions, so that small growth needs no new allocation. */
const SPARE = 1.25;
/** The block becomes narrower after so many passes that did not need its width. */
const NARROW_PASSES = 32;

interface BlockRow {
  cache: DialogueCache;
  /** The first so many tokens are here as in the cache. */
  copied: number;
}

export interface StepBlock {
  rowFloats: number;
  /** By row; undefined: given to nobody. */
  blockRows: (BlockRow | undefined)[];
  /** One array [rows, heads, width, head dims] per slot, with spare space after it. */
  data: Float32Array[];
  /** Positions of the past. */
  width: number;
  /** Passes in a row that needed much less than the width. */
  narrowPasses: number;
  /** Value of new space. */
  masked: number;
}

/** @param masked value of places that hold no token, which must not change any result */
export function createStepBlock(slots: readonly CacheSlot[], masked = 0): StepBlock {
  const { heads, headDims } = slotSize(slots);
  const data = slots.map(() => new Float32Array(0));
  const width = widthFor(0);
  return { rowFloats: heads * headDims, blockRows: [], data, width, narrowPasses: 0, masked };
}

/** Runs a pass over one token of each dialogue. */
export async function runSteps(
  parts: RowParts,
  block: StepBlock,
  steps: readonly RowInput[],
): Promise<RowOutput[]> {
  const placed = placeRows(block, steps);
  const outputs = await runRows(parts, placed, block);
  for (const blockRow of block.blockRows.slice(0, steps.length)) if (blockRow) copyNew(block, blockRow);
  return steps.map((step) => outputs[placed.indexOf(step)] as RowOutput);
}

/** Tells the block that only the first `length` tokens of a dialogue are still those that it copied. */
export function truncateRow({ blockRows }: StepBlock, cache: DialogueCache, length: number): void {
  const blockRow = blockRows.find((row) => row?.cache === cache);
  if (blockRow) blockRow.copied = Math.min(blockRow.copied, length);
}

/** Gives up the row of a dialogue. */
export function leaveBlock({ blockRows }: StepBlock, cache: DialogueCache): void {
  const row = blockRows.findIndex((blockRow) => blockRow?.cache === cache);
  if (row >= 0) blockRows[row] = undefined;
}

/**
 * Puts the dialogues of a pass into the first rows of the block.
 * @returns the steps by row
 */
function placeRows(block: StepBlock, steps: readonly RowInput[]): RowInput[] {
  const { blockRows } = block;
  const count = steps.length;
  fitWidth(block, Math.max(...steps.map(({ cache }) => cache.length)));
  reserve(block, count);
  const placed: (RowInput | undefined)[] = Array.from({ length: count }, (_, row) =>
    steps.find(({ cache }) => cache === blockRows[row]?.cache),
  );
  for (const step of steps) {
    if (placed.includes(step)) continue;
    leaveBlock(block, step.cache);
    const row = placed.indexOf(undefined);
    placed[row] = step;
    blockRows[row] = { cache: step.cache, copied: 0 };
  }
  for (const blockRow of blockRows.slice(0, count)) if (blockRow) copyNew(block, blockRow);
  return placed as RowInput[];
}

/** Copies what the cache has and the row has not, as far as the row is wide enough. */
function copyNew(block: StepBlock, blockRow: BlockRow): void {
  const { cache, copied } = blockRow;
  if (cache.length > block.width) return;
  cache.copyTo({ data: block.data, width: block.width, row: block.blockRows.indexOf(blockRow) }, copied);
  blockRow.copied = cache.length;
}

function widthFor(tokens: number): number {
  return Math.ceil(tokens / WIDTH_STEP) * WIDTH_STEP;
}

/** Makes the block wide enough for `most` tokens, and narrower if much of it was masked in many passes. */
function fitWidth(block: StepBlock, most: number): void {
  const width = widthFor(most);
  const isNarrow = width < block.width - 2 * WIDTH_STEP;
  block.narrowPasses = isNarrow ? block.narrowPasses + 1 : 0;
  if (width <= block.width && block.narrowPasses < NARROW_PASSES) return;
  block.width = width;
  block.narrowPasses = 0;
  for (const blockRow of block.blockRows) if (blockRow) blockRow.copied = 0;
}

/** Makes space for this many rows of the block's width. Masked values must be finite. */
function reserve(block: StepBlock, rows: number): void {
  const size = rows * block.width * block.rowFloats;
  if (size <= (block.data[0]?.length ?? size)) return;
  block.data = block.data.map((old) => {
    const data = new Float32Array(Math.ceil(size * SPARE)).fill(block.masked, old.length);
    data.set(old);
    return data;
  });
}
