/** Cholesky factorisation and triangular solves in plain TypeScript, for systems of a few hundred rows. */
import type { Matrix } from './types.ts';

/** Lower factor of (s + λI), row-major [n, n]; undefined where it is not positive definite. */
export function cholesky(s: Matrix, lambda: number): Float64Array | undefined {
  const n = s.rows;
  const factor = new Float64Array(n * n);
  for (let r = 0; r < n; r++) {
    for (let c = 0; c <= r; c++) {
      let sum = (s.data[r * n + c] as number) + (r === c ? lambda : 0);
      for (let k = 0; k < c; k++) sum -= (factor[r * n + k] as number) * (factor[c * n + k] as number);
      if (r !== c) factor[r * n + c] = sum / (factor[c * n + c] as number);
      else if (sum > 0) factor[r * n + r] = Math.sqrt(sum);
      else return undefined;
    }
  }
  return factor;
}

/** Solves factor · factorᵀ x = b in place; b [n, m]. */
export function solveFactored(factor: Float64Array, b: Matrix): void {
  const n = b.rows;
  for (let r = 0; r < n; r++) {
    for (let k = 0; k < r; k++) subtractRow(b, r, { row: k, weight: factor[r * n + k] as number });
    divideRow(b, r, factor[r * n + r] as number);
  }
  for (let r = n - 1; r >= 0; r--) {
    for (let k = r + 1; k < n; k++) subtractRow(b, r, { row: k, weight: factor[k * n + r] as number });
    divideRow(b, r, factor[r * n + r] as number);
  }
}

function subtractRow(m: Matrix, row: number, what: { row: number; weight: number }): void {
  if (what.weight === 0) return;
  const to = row * m.cols;
  const from = what.row * m.cols;
  const data = m.data;
  for (let c = 0; c < m.cols; c++) {
    data[to + c] = (data[to + c] as number) - what.weight * (data[from + c] as number);
  }
}

function divideRow(m: Matrix, row: number, by: number): void {
  for (let at = row * m.cols; at < (row + 1) * m.cols; at++) m.data[at] = (m.data[at] as number) / by;
}

/** Solves (s + λI) x = b → [n, m]. A system that is singular to rounding gets the smallest ridge that factors; one that never does gives NaN. */
export function solveSymmetric(s: Matrix, lambda: number, b: Matrix): Matrix {
  let largest = 0;
  for (let r = 0; r < s.rows; r++) largest = Math.max(largest, Math.abs(s.data[r * s.rows + r] as number));
  const x = { rows: b.rows, cols: b.cols, data: b.data.slice() };
  let jitter = largest * 1e-14 || 1e-300;
  let factor = cholesky(s, lambda);
  for (let tries = 0; factor === undefined && tries < 8; tries++, jitter *= 100) {
    factor = cholesky(s, lambda + jitter);
  }
  if (factor === undefined) x.data.fill(Number.NaN);
  else solveFactored(factor, x);
  return x;
}

/** (s + λI)⁻¹ [n, n], for what cannot be inverted as solveSymmetric says. */
export function invertSymmetric(s: Matrix, lambda: number): Matrix {
  const identity = { rows: s.rows, cols: s.rows, data: new Float64Array(s.rows * s.rows) };
  for (let k = 0; k < s.rows; k++) identity.data[k * s.rows + k] = 1;
  return solveSymmetric(s, lambda, identity);
}
