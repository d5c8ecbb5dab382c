/**
 * Passes over the columns of a tall matrix, four rows at a time: values per column are read once for four rows,
 * which makes a pass about three times as fast. Every sum is added in the order of the rows.
 */
import type { Matrix } from './linear-algebra.ts';

/** Mean of each column [cols] over the given rows, by default all. */
export function columnMeans(m: Matrix, rows: Int32Array = allRows(m)): Float64Array {
  const { cols, data } = m;
  const sums = new Float64Array(cols);
  const rest = byFour(rows, cols, (starts) => addFour(sums, data, starts));
  for (const start of rest)
    for (let c = 0; c < cols; c++) sums[c] = (sums[c] as number) + (data[start + c] as number);
  return sums.map((sum) => sum / rows.length);
}

/** Σ (x − centre)² of each column [cols] over the given rows. */
export function columnSquares({ cols, data }: Matrix, centre: Float64Array, rows: Int32Array): Float64Array {
  const sums = new Float64Array(cols);
  const rest = byFour(rows, cols, (starts) => addFourSquares({ sums, centre }, data, starts));
  for (const start of rest)
    for (let c = 0; c < cols; c++)
      sums[c] = (sums[c] as number) + ((data[start + c] as number) - (centre[c] as number)) ** 2;
  return sums;
}

export interface Scaling {
  /** [cols] */
  offset: Float64Array;
  /** [cols] */
  factor: Float64Array;
}

/**
 * (x − offset) · factor for the given rows of m, by default all, written to `into` [rows.length, cols] one
 * after the other.
 */
export function scaleColumns(
  m: Matrix,
  scaling: Scaling,
  { rows = allRows(m), into }: { rows?: Int32Array; into: Matrix },
): Matrix {
  const { cols, data } = m;
  let at = 0;
  const rest = byFour(rows, cols, (starts) => {
    putFour({ to: into.data, at }, { data, scaling }, starts);
    at += 4 * cols;
  });
  for (const start of rest)
    for (let c = 0; c < cols; c++, at++)
      into.data[at] =
        ((data[start + c] as number) - (scaling.offset[c] as number)) * (scaling.factor[c] as number);
  return into;
}

const allRows = ({ rows }: Matrix): Int32Array => Int32Array.from({ length: rows }, (_, row) => row);

/** Where each of four rows starts in the data. */
type Four = readonly [number, number, number, number];

/** Calls `four` for every four rows; returns the starts of the rows that are left over. */
function byFour(rows: Int32Array, cols: number, four: (starts: Four) => void): number[] {
  const start = (at: number): number => (rows[at] as number) * cols;
  const fours = rows.length - (rows.length % 4);
  for (let at = 0; at < fours; at += 4) four([start(at), start(at + 1), start(at + 2), start(at + 3)]);
  return [...rows.subarray(fours)].map((row) => row * cols);
}

// The arrays are parameters: variables of a closure would be looked up for every value.

function addFour(sums: Float64Array, data: Float64Array, [p, q, r, s]: Four): void {
  for (let c = 0; c < sums.length; c++)
    sums[c] =
      (sums[c] as number) +
      (data[p + c] as number) +
      (data[q + c] as number) +
      (data[r + c] as number) +
      (data[s + c] as number);
}

interface Squares {
  sums: Float64Array;
  centre: Float64Array;
}

function addFourSquares({ sums, centre }: Squares, data: Float64Array, [p, q, r, s]: Four): void {
  for (let c = 0; c < sums.length; c++) {
    const from = centre[c] as number;
    const a = (data[p + c] as number) - from;
    const b = (data[q + c] as number) - from;
    const d = (data[r + c] as number) - from;
    const e = (data[s + c] as number) - from;
    sums[c] = (sums[c] as number) + a * a + b * b + d * d + e * e;
  }
}

interface Place {
  to: Float64Array;
  at: number;
}

interface Scaled {
  data: Float64Array;
  scaling: Scaling;
}

function putFour({ to, at }: Place, { data, scaling: { offset, factor } }: Scaled, [p, q, r, s]: Four): void {
  const cols = offset.length;
  for (let c = 0; c < cols; c++) {
    const from = offset[c] as number;
    const by = factor[c] as number;
    to[at + c] = ((data[p + c] as number) - from) * by;
    to[at + cols + c] = ((data[q + c] as number) - from) * by;
    to[at + 2 * cols + c] = ((data[r + c] as number) - from) * by;
    to[at + 3 * cols + c] = ((data[s + c] as number) - from) * by;
  }
}
