/** Eigenvalues and eigenvectors of a symmetric matrix of at most a few hundred rows, by Jacobi rotations. */
import { zeros } from './matrix.ts';
import type { Matrix } from './linear-algebra.ts';

export interface Eigen {
  /** Eigenvalues, largest first. */
  values: Float64Array;
  /** Eigenvectors [n, n]: column k belongs to values[k]. */
  vectors: Matrix;
}

const SWEEPS = 60;

export function symmetricEigen(symmetric: Matrix): Eigen {
  const n = symmetric.rows;
  const a = symmetric.data.slice();
  // During the rotations the rows of v are the eigenvectors, since rows are contiguous in memory.
  const v = zeros(n, n);
  for (let k = 0; k < n; k++) v.data[k * n + k] = 1;
  for (let sweep = 0; sweep < SWEEPS && offDiagonal(a, n) > 1e-15; sweep++) {
    for (let p = 0; p < n - 1; p++) for (let q = p + 1; q < n; q++) rotate(a, v.data, { n, p, q });
  }
  const order = Array.from({ length: n }, (_, k) => k).sort(
    (x, y) => (a[y * n + y] as number) - (a[x * n + x] as number),
  );
  const vectors = zeros(n, n);
  for (const [place, k] of order.entries()) {
    for (let r = 0; r < n; r++) vectors.data[r * n + place] = v.data[k * n + r] as number;
  }
  return { values: Float64Array.from(order, (k) => a[k * n + k] as number), vectors };
}

/** Ratio of the off-diagonal part to the diagonal, by squares. */
function offDiagonal(a: Float64Array, n: number): number {
  let off = 0;
  let on = 0;
  for (let r = 0; r < n; r++) {
    on += (a[r * n + r] as number) ** 2;
    for (let c = r + 1; c < n; c++) off += (a[r * n + c] as number) ** 2;
  }
  return on + off > 0 ? Math.sqrt(off / (on + off)) : 0;
}

/** One rotation that makes a[p, q] zero; it is also applied to v. */
function rotate(a: Float64Array, v: Float64Array, at: { n: number; p: number; q: number }): void {
  const { n, p, q } = at;
  const apq = a[p * n + q] as number;
  if (apq === 0) return;
  const theta = ((a[q * n + q] as number) - (a[p * n + p] as number)) / (2 * apq);
  const t = (theta >= 0 ? 1 : -1) / (Math.abs(theta) + Math.sqrt(theta * theta + 1));
  const c = 1 / Math.sqrt(t * t + 1);
  const s = t * c;
  shiftRows(a, { from: p * n, to: q * n, step: 1, count: n, c, s });
  shiftRows(a, { from: p, to: q, step: n, count: n, c, s });
  shiftRows(v, { from: p * n, to: q * n, step: 1, count: n, c, s });
}

interface Turn {
  from: number;
  to: number;
  step: number;
  count: number;
  c: number;
  s: number;
}

function shiftRows(data: Float64Array, { from, to, step, count, c, s }: Turn): void {
  for (let k = 0, x = from, y = to; k < count; k++, x += step, y += step) {
    const left = data[x] as number;
    const right = data[y] as number;
    data[x] = c * left - s * right;
    data[y] = s * left + c * right;
  }
}
