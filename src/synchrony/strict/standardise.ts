/**
 * Centres the states of balanced blocks by episode and by scenario × turn, and divides every column by its remaining
 * standard deviation.
 *
 *   x̃(e, t) = x(e, t) − mean over t of x(e, ·) − mean over e of x(·, t) + mean of the block
 *
 * A permutation of a block's episodes permutes the rows of the result and changes no value.
 */
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { Block, Blocks } from './blocks.ts';

export interface Standardised {
  /** [rows in use, dims] */
  states: Matrix;
  /** Number of columns without variance after centring; they are 0. */
  degenerate: number;
}

/** A standard deviation below this share of a column's largest value is rounding. */
const SMALLEST_SPREAD = 1e-9;

export function standardise(m: Matrix, { rows, blocks }: Blocks): Standardised {
  const states = centreBlocks(m, { rows, blocks });
  const largest = new Float64Array(m.cols);
  const squares = new Float64Array(m.cols);
  eachRow(states, (at, r) => {
    const from = (rows[r] as number) * m.cols;
    for (let c = 0; c < m.cols; c++) {
      largest[c] = Math.max(largest[c] as number, Math.abs(m.data[from + c] as number));
      squares[c] = (squares[c] as number) + (states.data[at + c] as number) ** 2;
    }
  });
  const factor = squares.map((sum, c) => {
    const spread = Math.sqrt(sum / Math.max(1, states.rows));
    return spread > SMALLEST_SPREAD * (largest[c] as number) ? 1 / spread : 0;
  });
  eachRow(states, (at) => {
    for (let c = 0; c < m.cols; c++)
      states.data[at + c] = (states.data[at + c] as number) * (factor[c] as number);
  });
  return { states, degenerate: factor.filter((value) => value === 0).length };
}

/** The rows in use, doubly centred [rows in use, cols]. */
export function centreBlocks(m: Matrix, { rows, blocks }: Pick<Blocks, 'rows' | 'blocks'>): Matrix {
  const out = zeros(rows.length, m.cols);
  for (const [to, row] of rows.entries())
    out.data.set(m.data.subarray(row * m.cols, (row + 1) * m.cols), to * m.cols);
  for (const { start, episodes, turns } of blocks) {
    for (let e = 0; e < episodes; e++) takeMeanOut(out, { start: start + e * turns, step: 1, count: turns });
    for (let t = 0; t < turns; t++) takeMeanOut(out, { start: start + t, step: turns, count: episodes });
  }
  return out;
}

/** Subtracts the mean of rows start, start + step, … from each of them. */
function takeMeanOut(
  m: Matrix,
  { start, step, count }: { start: number; step: number; count: number },
): void {
  const { cols, data } = m;
  const mean = new Float64Array(cols);
  const starts = Array.from({ length: count }, (_, place) => (start + place * step) * cols);
  for (const at of starts)
    for (let c = 0; c < cols; c++) mean[c] = (mean[c] as number) + (data[at + c] as number) / count;
  for (const at of starts)
    for (let c = 0; c < cols; c++) data[at + c] = (data[at + c] as number) - (mean[c] as number);
}

function eachRow(m: Matrix, visit: (at: number, row: number) => void): void {
  for (let r = 0; r < m.rows; r++) visit(r * m.cols, r);
}

/** Σ squares of the rows of a block. */
export function energyOf(m: Matrix, { start, episodes, turns }: Block): number {
  const rows = m.data.subarray(start * m.cols, (start + episodes * turns) * m.cols);
  return rows.reduce((sum, value) => sum + value * value, 0);
}
