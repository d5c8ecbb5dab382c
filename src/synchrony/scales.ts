/**
 * The scales a strict score is standardised with: per column an offset and one over the spread within episodes. They are frozen between full
 * refreshes, so that a kernel grows by one row and column per turn and replay reproduces every number.
 */
import { zeros } from './matrix.ts';
import type { Matrix } from './types.ts';

export interface Scales {
  /** [dims] */
  offset: Float64Array;
  /** [dims]; 0 for a column that does not vary within episodes. */
  factor: Float64Array;
  degenerate: number;
}

const SMALLEST_SPREAD = 1e-9;

/** Spread of every column around its episode's mean. */
export function measureScales(m: Matrix, episode: Int32Array): Scales {
  const offset = new Float64Array(m.cols);
  const factor = new Float64Array(m.cols);
  const counts = new Map<number, number>();
  for (const label of episode) counts.set(label, (counts.get(label) ?? 0) + 1);
  const freedom = Math.max(1, m.rows - counts.size);
  for (let c = 0; c < m.cols; c++) {
    const sums = new Map<number, number>();
    let largest = 0;
    for (let r = 0; r < m.rows; r++) {
      const value = m.data[r * m.cols + c] as number;
      const label = episode[r] as number;
      sums.set(label, (sums.get(label) ?? 0) + value);
      offset[c] = (offset[c] as number) + value / m.rows;
      largest = Math.max(largest, Math.abs(value));
    }
    let squares = 0;
    for (let r = 0; r < m.rows; r++) {
      const label = episode[r] as number;
      squares +=
        ((m.data[r * m.cols + c] as number) - (sums.get(label) as number) / (counts.get(label) as number)) **
        2;
    }
    const spread = Math.sqrt(squares / freedom);
    factor[c] = spread > SMALLEST_SPREAD * largest ? 1 / spread : 0;
  }
  return { offset, factor, degenerate: factor.filter((value) => value === 0).length };
}

/** (m − offset) · factor, column by column. */
export function applyScales(m: Matrix, scales: Scales): Matrix {
  const out = zeros(m.rows, m.cols);
  for (let at = 0; at < out.data.length; at++) {
    const c = at % m.cols;
    out.data[at] = ((m.data[at] as number) - (scales.offset[c] as number)) * (scales.factor[c] as number);
  }
  return out;
}
