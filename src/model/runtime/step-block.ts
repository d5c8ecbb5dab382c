/**
 * Keys and values of the dialogues that decode, side by side, so that one pass takes a token of each.
 *
 *   position   0 … held-1 │ masked … width-1 │ width
 *              ───────── past, by slot ───── │ the token of the pass
 *
 * `width + 1` is a multiple of `GRAIN`. A past token is at its own position of its dialogue; the token of the pass is
 * at the last position of the last group of `GRAIN` positions, where all others are masked. So the dialogue alone
 * decides which tokens share a group, whatever shares the pass. A masked place adds exactly zero, and kernels sum
 * over positions in groups of a fixed width, so the results of a dialogue do not depend on the others in any bit.
 * `probe-steps.ts` tests whether that holds for a graph.
 */
import ort from '../../onnx/runtime.ts';
import { type CacheSlot, RECENT } from './graph-io.ts';
import { layoutOf } from './kv-cache.ts';

export const GRAIN = 16;
/** The block grows and shrinks by this many positions, since each time its rows are moved. */
const STRIDE_STEP = 2 * GRAIN;
/** Factor of spare space for rows and positions, so that small growth needs no new allocation. */
const SPARE = 1.25;

/** The row of one dialogue in the block. */
export interface BlockRow {
  /** Index of the row; those of a pass come first. */
  row: number;
  /** Number of tokens. */
  length: number;
}

export interface StepBlock {
  readonly slots: readonly CacheSlot[];
  readonly heads: number;
  readonly headDims: number;
  /** By row. */
  blockRows: BlockRow[];
  /** One array [rows, heads, width, head dims] per slot, with spare space after it. */
  data: Float32Array[];
  /** Positions of the past; at least GRAIN - 1 more than in any row. */
  width: number;
}

export function createStepBlock(slots: readonly CacheSlot[]): StepBlock {
  const { outer: heads = 1, inner: headDims = 1 } = slots[0] ? layoutOf(slots[0]) : {};
  const data = slots.map(() => new Float32Array(0));
  return { slots, heads, headDims, blockRows: [], data, width: widthFor(0) };
}

/** @param from one array [heads, length, head dims] per slot */
export function takeRow(block: StepBlock, from: readonly Float32Array[], length: number): BlockRow {
  const { heads, headDims, blockRows } = block;
  const blockRow: BlockRow = { row: blockRows.length, length };
  fitWidth(block, length);
  reserve(block, blockRows.length + 1);
  blockRows.push(blockRow);
  const size = length * headDims;
  for (const [slot, to] of block.data.entries())
    for (let head = 0; head < heads; head++) {
      const values = (from[slot] as Float32Array).subarray(head * size, (head + 1) * size);
      to.set(values, startOf(block, blockRow.row, head));
    }
  return blockRow;
}

/** @returns the tokens of a row: one array [heads, length, head dims] per slot */
export function copyRow(block: StepBlock, blockRow: BlockRow): Float32Array[] {
  const { heads, headDims } = block;
  const size = blockRow.length * headDims;
  return block.data.map((values) => {
    const to = new Float32Array(heads * size);
    for (let head = 0; head < heads; head++) {
      const start = startOf(block, blockRow.row, head);
      to.set(values.subarray(start, start + size), head * size);
    }
    return to;
  });
}

export function leaveRow(block: StepBlock, blockRow: BlockRow): void {
  const last = block.blockRows.at(-1) as BlockRow;
  if (last !== blockRow) swap(block, blockRow, last);
  block.blockRows.pop();
}

/** Sets the masked places of all rows, which must not influence any result. */
export function fillMasked({ heads, headDims, width, blockRows, data }: StepBlock, value: number): void {
  const row = width * headDims;
  for (const values of data)
    for (const { row: at, length } of blockRows)
      for (let i = at * heads; i < (at + 1) * heads; i++)
        values.fill(value, i * row + length * headDims, (i + 1) * row);
}

/** Inputs of a pass over these rows, which become the first rows of the block in this order. */
export function blockFeeds(block: StepBlock, blockRows: readonly BlockRow[]): Record<string, ort.Tensor> {
  for (const [row, blockRow] of blockRows.entries())
    if (blockRow.row !== row) swap(block, blockRow, block.blockRows[row] as BlockRow);
  fitWidth(block, Math.max(...block.blockRows.map(({ length }) => length)));
  const { slots, heads, headDims, width } = block;
  const shape = [blockRows.length, heads, width, headDims];
  const size = blockRows.length * heads * width * headDims;
  const pasts = slots.map((slot, i) => {
    const values = (block.data[i] as Float32Array).subarray(0, size);
    return [slot.past, new ort.Tensor('float32', values, shape)] as const;
  });
  const noRecent = [0, slots.length * blockRows.length, heads, headDims];
  return {
    ...Object.fromEntries(pasts),
    [RECENT]: new ort.Tensor('float32', new Float32Array(0), noRecent),
  };
}

/**
 * Adds the tokens of a pass.
 * @param rows [slots, block rows, heads, head dims]
 */
export function appendTokens(block: StepBlock, blockRows: readonly BlockRow[], rows: Float32Array): void {
  const { heads, headDims } = block;
  fitWidth(block, 1 + Math.max(...blockRows.map(({ length }) => length)));
  let from = 0;
  for (const to of block.data)
    for (const blockRow of blockRows)
      for (let head = 0; head < heads; head++) {
        const place = startOf(block, blockRow.row, head) + blockRow.length * headDims;
        for (let i = 0; i < headDims; i++) to[place + i] = rows[from++] as number;
      }
  for (const blockRow of blockRows) blockRow.length++;
}

function startOf({ heads, width, headDims }: StepBlock, row: number, head: number): number {
  return (row * heads + head) * width * headDims;
}

function widthFor(tokens: number): number {
  return Math.ceil(tokens / STRIDE_STEP) * STRIDE_STEP + GRAIN - 1;
}

/** Makes the block wide enough for `most` tokens, and narrower if much of it is masked in every row. */
function fitWidth(block: StepBlock, most: number): void {
  const held = Math.max(most, ...block.blockRows.map(({ length }) => length));
  const width = widthFor(held);
  if (width > block.width) moveRows(block, width);
  else if (width < block.width - 2 * STRIDE_STEP) moveRows(block, width);
}

/** Moves rows in place: last row first when they move apart, first row first when they move together. */
function moveRows(block: StepBlock, width: number): void {
  const before = { ...block };
  block.width = width;
  reserve(block, block.blockRows.length);
  const { heads, headDims, blockRows, data } = block;
  const count = blockRows.length * heads;
  for (const values of data)
    for (let i = 0; i < count; i++) {
      const at = width > before.width ? count - 1 - i : i;
      const start = at * before.width * headDims;
      const { length } = blockRows[Math.floor(at / heads)] as BlockRow;
      values.copyWithin(at * width * headDims, start, start + length * headDims);
    }
}

/** Makes space for this many rows of the block's width. Spare values must be finite, like masked ones. */
function reserve(block: StepBlock, rows: number): void {
  const size = startOf(block, rows, 0);
  if (size <= (block.data[0]?.length ?? size)) return;
  block.data = block.data.map((old) => {
    const data = new Float32Array(Math.ceil(size * SPARE));
    data.set(old);
    return data;
  });
}

function swap(block: StepBlock, a: BlockRow, b: BlockRow): void {
  const [startA, startB] = [startOf(block, a.row, 0), startOf(block, b.row, 0)];
  const size = startOf(block, 1, 0);
  for (const data of block.data) {
    const kept = data.slice(startA, startA + size);
    data.copyWithin(startA, startB, startB + size);
    data.set(kept, startB);
  }
  [a.row, b.row] = [b.row, a.row];
  block.blockRows[a.row] = a;
  block.blockRows[b.row] = b;
}
