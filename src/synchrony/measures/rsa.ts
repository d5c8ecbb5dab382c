/**
 * Representational similarity: are steps that differ in one stream different in the other?
 * Formula: Spearman's correlation between the upper triangles of the dissimilarity matrices 1 − Pearson(row, row');
 * Pearson's correlation is given beside it.
 * Range: −1 to 1.
 * Reference: Kriegeskorte, Mur, Bandettini, 2008.
 * No score: fewer than 4 steps, fewer than 3 dims, a step whose dims are all equal, values that are not finite.
 */
import { shiftBoth, zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import { pearson, unshifted, aligned, type Measure, type PrepareShifts } from './measure.ts';

/** Over two dims every correlation is 1 or −1, and their ranks would be rounding errors. */
const FEWEST_DIMS = 3;

/** The upper triangle, row by row; undefined if a row does not vary. */
function dissimilarities(m: Matrix): Float64Array | undefined {
  const out = new Float64Array((m.rows * (m.rows - 1)) / 2);
  const rows = Array.from({ length: m.rows }, (_, r) => m.data.subarray(r * m.cols, (r + 1) * m.cols));
  let at = 0;
  for (const [r, row] of rows.entries()) {
    for (const other of rows.slice(r + 1)) {
      const correlation = pearson(row, other);
      if (correlation === undefined) return undefined;
      out[at++] = 1 - correlation;
    }
  }
  return out;
}

/** Ranks from 1; equal values share their mean rank. */
function ranks(values: Float64Array): Float64Array {
  const order = Uint32Array.from(values.keys()).sort((x, y) => (values[x] as number) - (values[y] as number));
  const out = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (let k = start; k < end; k++) out[order[k] as number] = (start + end + 1) / 2;
    start = end;
  }
  return out;
}

/** The symmetric matrix [n, n] of an upper triangle given row by row. */
function mirrored(triangle: Float64Array, n: number): Matrix {
  const out = zeros(n, n);
  let at = 0;
  for (let r = 0; r < n; r++)
    for (let c = r + 1; c < n; c++) {
      const value = triangle[at++] as number;
      out.data[r * n + c] = value;
      out.data[c * n + r] = value;
    }
  return out;
}

function upperTriangle({ rows: n, data }: Matrix): Float64Array {
  const out = new Float64Array((n * (n - 1)) / 2);
  let at = 0;
  for (let r = 0; r < n; r++) {
    const row = data.subarray(r * n + r + 1, (r + 1) * n);
    out.set(row, at);
    at += row.length;
  }
  return out;
}

const shifted: PrepareShifts = async (source, target) => {
  const streams = aligned(source, target, 4);
  if ('reason' in streams) return streams;
  const { a, b } = streams;
  if (Math.min(a.cols, b.cols) < FEWEST_DIMS)
    return { reason: `fewer than ${FEWEST_DIMS} dims: every two steps are alike or opposite` };
  const x = dissimilarities(a);
  const y = dissimilarities(b);
  if (x === undefined || y === undefined) return { reason: 'a step has no variance over its dims' };
  const ranksX = ranks(x);
  const square = { ranks: mirrored(ranks(y), b.rows), plain: mirrored(y, b.rows) };
  return (by) => {
    const value = pearson(ranksX, upperTriangle(shiftBoth(square.ranks, by)));
    const plain = pearson(x, upperTriangle(shiftBoth(square.plain, by)));
    if (value === undefined || plain === undefined) return { reason: 'all steps are equally unlike' };
    return { value, more: { pearson: plain } };
  };
};

export const rsa: Measure = {
  name: 'rsa',
  about: 'Representational similarity: are steps that are unlike in one stream unlike in the other?',
  formula: "Spearman over the upper triangles of 1 - Pearson(row, row')",
  range: '-1 to 1',
  reference: 'Kriegeskorte et al. 2008',
  compute: unshifted(shifted),
  shifted,
};
