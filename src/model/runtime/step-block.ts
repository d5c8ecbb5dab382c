/**
 * Keys and values of the dialogues that decode, side by side, so that one pass takes a token of each.
 *
 *   position   0 … held-1 │ masked … width-1 │ width
 *              ───────── past, by slot ───── │ the token of the pass
 *
 * `width + 1` is a multiple of `GRAIN`. A token that is held stands at its own position of its dialogue; the token of a pass
 * stands in the last place of the last group of `GRAIN` positions, in which all others are masked. So which tokens share a
 * group follows from the dialogue alone, whoever shares the pass. A masked place adds exactly zero, and kernels sum over
 * positions in groups of a fixed width. So the numbers of a dialogue do not depend, in any bit, on the others;
 * `probe-steps.ts` looks whether that holds for a graph.
 */
import ort from '../../onnx/runtime.ts';
import { type CacheSlot, RECENT } from './graph-io.ts';
import { layoutOf } from './kv-cache.ts';

export const GRAIN = 16;
/** The block is widened and narrowed by steps of so many positions, for each time its rows are moved. */
const STRIDE_STEP = 2 * GRAIN;
/** Room for more rows and positions than asked for, so that few of them mean a new allocation. */
const SPARE = 1.25;

/** The place of one dialogue in the block. */
export interface Seat {
  /** Row of the block; those of a pass are its first ones. */
  row: number;
  /** Tokens held. */
  length: number;
}

export interface StepBlock {
  readonly slots: readonly CacheSlot[];
  readonly heads: number;
  readonly headDims: number;
  /** By row. */
  seats: Seat[];
  /** By slot, [rows, heads, width, head dims], and spare room behind it. */
  data: Float32Array[];
  /** Positions of the past; at least GRAIN - 1 more than any seat holds. */
  width: number;
}

export function createStepBlock(slots: readonly CacheSlot[]): StepBlock {
  const { outer: heads = 1, inner: headDims = 1 } = slots[0] ? layoutOf(slots[0]) : {};
  const data = slots.map(() => new Float32Array(0));
  return { slots, heads, headDims, seats: [], data, width: widthFor(0) };
}

/** @param from by slot, [heads, length, head dims] */
export function takeSeat(block: StepBlock, from: readonly Float32Array[], length: number): Seat {
  const { heads, headDims, seats } = block;
  const seat: Seat = { row: seats.length, length };
  fitWidth(block, length);
  reserve(block, seats.length + 1);
  seats.push(seat);
  const size = length * headDims;
  for (const [slot, to] of block.data.entries())
    for (let head = 0; head < heads; head++) {
      const values = (from[slot] as Float32Array).subarray(head * size, (head + 1) * size);
      to.set(values, startOf(block, seat.row, head));
    }
  return seat;
}

/** @returns the tokens of a seat, by slot [heads, length, head dims] */
export function copySeat(block: StepBlock, seat: Seat): Float32Array[] {
  const { heads, headDims } = block;
  const size = seat.length * headDims;
  return block.data.map((values) => {
    const to = new Float32Array(heads * size);
    for (let head = 0; head < heads; head++) {
      const start = startOf(block, seat.row, head);
      to.set(values.subarray(start, start + size), head * size);
    }
    return to;
  });
}

export function leaveSeat(block: StepBlock, seat: Seat): void {
  const last = block.seats.at(-1) as Seat;
  if (last !== seat) swap(block, seat, last);
  block.seats.pop();
}

/** Sets the masked places of all rows, none of which may make a difference. */
export function fillMasked({ heads, headDims, width, seats, data }: StepBlock, value: number): void {
  const row = width * headDims;
  for (const values of data)
    for (const { row: at, length } of seats)
      for (let i = at * heads; i < (at + 1) * heads; i++)
        values.fill(value, i * row + length * headDims, (i + 1) * row);
}

/** Keys and values that a pass over these seats is fed, in the order in which it then has them as its rows. */
export function blockFeeds(block: StepBlock, seats: readonly Seat[]): Record<string, ort.Tensor> {
  for (const [row, seat] of seats.entries())
    if (seat.row !== row) swap(block, seat, block.seats[row] as Seat);
  fitWidth(block, Math.max(...block.seats.map(({ length }) => length)));
  const { slots, heads, headDims, width } = block;
  const shape = [seats.length, heads, width, headDims];
  const size = seats.length * heads * width * headDims;
  const pasts = slots.map((slot, i) => {
    const values = (block.data[i] as Float32Array).subarray(0, size);
    return [slot.past, new ort.Tensor('float32', values, shape)] as const;
  });
  const noRecent = [0, slots.length * seats.length, heads, headDims];
  return {
    ...Object.fromEntries(pasts),
    [RECENT]: new ort.Tensor('float32', new Float32Array(0), noRecent),
  };
}

/** Adds the tokens of a pass. @param rows [slots, seats, heads, head dims] */
export function appendTokens(block: StepBlock, seats: readonly Seat[], rows: Float32Array): void {
  const { heads, headDims } = block;
  fitWidth(block, 1 + Math.max(...seats.map(({ length }) => length)));
  let from = 0;
  for (const to of block.data)
    for (const seat of seats)
      for (let head = 0; head < heads; head++) {
        const place = startOf(block, seat.row, head) + seat.length * headDims;
        for (let i = 0; i < headDims; i++) to[place + i] = rows[from++] as number;
      }
  for (const seat of seats) seat.length++;
}

function startOf({ heads, width, headDims }: StepBlock, row: number, head: number): number {
  return (row * heads + head) * width * headDims;
}

function widthFor(tokens: number): number {
  return Math.ceil(tokens / STRIDE_STEP) * STRIDE_STEP + GRAIN - 1;
}

/** Makes the block wide enough for `most` tokens, and narrower where much of it is masked in every row. */
function fitWidth(block: StepBlock, most: number): void {
  const held = Math.max(most, ...block.seats.map(({ length }) => length));
  const width = widthFor(held);
  if (width > block.width) moveRows(block, width);
  else if (width < block.width - 2 * STRIDE_STEP) moveRows(block, width);
}

/** In place: the last row first where they move apart, the first row first where they move together. */
function moveRows(block: StepBlock, width: number): void {
  const before = { ...block };
  block.width = width;
  reserve(block, block.seats.length);
  const { heads, headDims, seats, data } = block;
  const count = seats.length * heads;
  for (const values of data)
    for (let i = 0; i < count; i++) {
      const at = width > before.width ? count - 1 - i : i;
      const start = at * before.width * headDims;
      const { length } = seats[Math.floor(at / heads)] as Seat;
      values.copyWithin(at * width * headDims, start, start + length * headDims);
    }
}

/** Makes room for as many rows of the block's width. What stands in the spare room is finite, as masked values must be. */
function reserve(block: StepBlock, rows: number): void {
  const size = startOf(block, rows, 0);
  if (size <= (block.data[0]?.length ?? size)) return;
  block.data = block.data.map((old) => {
    const data = new Float32Array(Math.ceil(size * SPARE));
    data.set(old);
    return data;
  });
}

function swap(block: StepBlock, a: Seat, b: Seat): void {
  const [startA, startB] = [startOf(block, a.row, 0), startOf(block, b.row, 0)];
  const size = startOf(block, 1, 0);
  for (const data of block.data) {
    const kept = data.slice(startA, startA + size);
    data.copyWithin(startA, startB, startB + size);
    data.set(kept, startB);
  }
  [a.row, b.row] = [b.row, a.row];
  block.seats[a.row] = a;
  block.seats[b.row] = b;
}
