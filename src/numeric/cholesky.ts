/** Cholesky factorisation and triangular solves in plain TypeScript, for systems of a few hundred rows. */
import { addRowProduct, mirrorUp, product, transpose, zeros } from './matrix.ts';
import { dotAt } from './row-product.ts';
import type { Matrix } from './linear-algebra.ts';

/** Lower Cholesky factor of s + λI, row-major [n, n]; undefined if it is not positive definite. */
export function cholesky(s: Matrix, lambda: number): Float64Array | undefined {
  const n = s.rows;
  const factor = new Float64Array(n * n);
  for (let r = 0; r < n; r++) {
    const row = r * n;
    for (let c = 0; c <= r; c++) {
      const rest = (s.data[row + c] as number) - dotAt(factor, factor, { x: row, y: c * n, count: c });
      if (r !== c) factor[row + c] = rest / (factor[c * n + c] as number);
      else if (rest + lambda > 0) factor[row + r] = Math.sqrt(rest + lambda);
      else return undefined;
    }
  }
  return factor;
}

/** Inverse L⁻¹ [n, n] of a lower factor, computed row by row so that every sum runs along rows. */
export function invertLower(lower: Float64Array, n: number): Matrix {
  const inverse = zeros(n, n);
  const a = { rows: n, cols: n, data: lower };
  for (let r = 0; r < n; r++) {
    const row = r * n;
    const scale = 1 / (lower[row + r] as number);
    addRowProduct(inverse, { a, b: inverse, row: r, cols: r, to: r, isLower: true });
    for (let c = 0; c < r; c++) inverse.data[row + c] = -scale * (inverse.data[row + c] as number);
    inverse.data[row + r] = scale;
  }
  return inverse;
}

/** Wᵀ W [n, n] of lower triangular W. */
function lowerSquare(w: Matrix): Matrix {
  const out = zeros(w.rows, w.rows);
  const a = transpose(w);
  for (let r = 0; r < w.rows; r++) addRowProduct(out, { a, b: w, row: r, cols: r + 1, from: r });
  return mirrorUp(out);
}

/**
 * L⁻¹ with s + λI = L Lᵀ. A system that is singular to rounding gets the smallest larger ridge with which it
 * factors; undefined if there is none.
 */
function lowerInverse(s: Matrix, lambda: number): Matrix | undefined {
  let largest = 0;
  for (let r = 0; r < s.rows; r++) largest = Math.max(largest, Math.abs(s.data[r * s.rows + r] as number));
  let jitter = largest * 1e-14 || 1e-300;
  let factor = cholesky(s, lambda);
  for (let tries = 0; factor === undefined && tries < 8; tries++, jitter *= 100) {
    factor = cholesky(s, lambda + jitter);
  }
  return factor && invertLower(factor, s.rows);
}

/** L⁻¹ [n, n] with s + λI = L Lᵀ; NaN if the system does not factor. */
export function inverseFactor(s: Matrix, lambda: number): Matrix {
  return lowerInverse(s, lambda) ?? { ...s, data: new Float64Array(s.data.length).fill(Number.NaN) };
}

/** Solves (s + λI) x = b → [n, m]; NaN if the system does not factor. */
export function solveSymmetric(s: Matrix, lambda: number, b: Matrix): Matrix {
  const lower = lowerInverse(s, lambda);
  if (!lower) return { ...b, data: new Float64Array(b.data.length).fill(Number.NaN) };
  return product(transpose(lower), product(lower, b));
}

/** (s + λI)⁻¹ [n, n]; NaN if the system does not factor. */
export function invertSymmetric(s: Matrix, lambda: number): Matrix {
  return lowerSquare(inverseFactor(s, lambda));
}
