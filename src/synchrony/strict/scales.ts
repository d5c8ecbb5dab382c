/**
 * The scales a strict score is standardised with: per column an offset and one over the spread within episodes. They are frozen between full
 * refreshes, so that a kernel grows by one row and column per turn and replay reproduces every number.
 */
import { scaleColumns } from '../../numeric/columns.ts';
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';

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
  const { place, counts } = placesOf(episode);
  const means = zeros(counts.length, m.cols);
  const offset = new Float64Array(m.cols);
  const largest = new Float64Array(m.cols);
  eachRow(m, (row, r) => {
    const to = (place[r] as number) * m.cols;
    for (let c = 0; c < m.cols; c++) {
      const value = row[c] as number;
      means.data[to + c] = (means.data[to + c] as number) + value / (counts[place[r] as number] as number);
      offset[c] = (offset[c] as number) + value / m.rows;
      largest[c] = Math.max(largest[c] as number, Math.abs(value));
    }
  });
  const squares = new Float64Array(m.cols);
  eachRow(m, (row, r) => {
    const from = (place[r] as number) * m.cols;
    for (let c = 0; c < m.cols; c++)
      squares[c] = (squares[c] as number) + ((row[c] as number) - (means.data[from + c] as number)) ** 2;
  });
  const freedom = Math.max(1, m.rows - counts.length);
  const factor = squares.map((sum, c) => {
    const spread = Math.sqrt(sum / freedom);
    return spread > SMALLEST_SPREAD * (largest[c] as number) ? 1 / spread : 0;
  });
  return { offset, factor, degenerate: factor.filter((value) => value === 0).length };
}

/** Per row its episode, counted from 0, and how many rows each has. */
function placesOf(episode: Int32Array): { place: Int32Array; counts: number[] } {
  const places = new Map<number, number>();
  const counts: number[] = [];
  const place = episode.map((label) => {
    const known = places.get(label) ?? places.size;
    places.set(label, known);
    counts[known] = (counts[known] ?? 0) + 1;
    return known;
  });
  return { place, counts };
}

function eachRow(m: Matrix, visit: (row: Float64Array, r: number) => void): void {
  for (let r = 0; r < m.rows; r++) visit(m.data.subarray(r * m.cols, (r + 1) * m.cols), r);
}

/** (m − offset) · factor, column by column. */
export const applyScales = (m: Matrix, scales: Scales): Matrix =>
  scaleColumns(m, scales, { into: zeros(m.rows, m.cols) });
