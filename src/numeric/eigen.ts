/**
 * Eigenvalues and eigenvectors of a symmetric matrix, in two steps that cost O(n³) once:
 *
 *   1. Householder reflections make it tridiagonal: Qᵀ A Q = T
 *   2. QL iterations with implicit shifts make T diagonal, by rotations of neighbouring rows of Qᵀ
 *
 * Reference: Golub, Van Loan, Matrix Computations, sections 8.3.1 and 8.3.3.
 */
import { copyOf, zeros } from './matrix.ts';
import { dotAt } from './row-product.ts';
import type { Matrix } from './linear-algebra.ts';

export interface Eigen {
  /** Eigenvalues, largest first. */
  values: Float64Array;
  /** Eigenvectors [n, n]: column k belongs to values[k]. */
  vectors: Matrix;
}

export function symmetricEigen(symmetric: Matrix): Eigen {
  const n = symmetric.rows;
  const { diagonal, beside, reflectors } = tridiagonal(symmetric);
  // Rows of v become the eigenvectors, since rows are contiguous in memory.
  const v = transposedProduct(reflectors, n);
  diagonalise(diagonal, beside, v);
  const order = [...diagonal.keys()].sort((x, y) => (diagonal[y] as number) - (diagonal[x] as number));
  const vectors = zeros(n, n);
  for (const [place, k] of order.entries())
    for (let r = 0; r < n; r++) vectors.data[r * n + place] = v.data[k * n + r] as number;
  return { values: Float64Array.from(order, (k) => diagonal[k] as number), vectors };
}

interface Tridiagonal {
  diagonal: Float64Array;
  /** beside[k] is T[k + 1, k]; the last entry is 0. */
  beside: Float64Array;
  /** Reflector k is I − u uᵀ on the rows from k + 1; empty where there is nothing to reflect. */
  reflectors: Float64Array[];
}

function tridiagonal(symmetric: Matrix): Tridiagonal {
  const n = symmetric.rows;
  const { data } = copyOf(symmetric);
  const [diagonal, beside] = [new Float64Array(n), new Float64Array(n)];
  const reflectors: Float64Array[] = [];
  for (let k = 0; k < n; k++) {
    diagonal[k] = data[k * n + k] as number;
    const column = Float64Array.from({ length: n - k - 1 }, (_, r) => data[(k + 1 + r) * n + k] as number);
    const { along, reflector } = reflectorOf(column);
    if (column.length > 0) beside[k] = along;
    reflectors.push(reflector);
    if (reflector.length > 0) reflectBoth(data, n, { from: k + 1, reflector });
  }
  return { diagonal, beside, reflectors };
}

/** u with (I − u uᵀ) column = (along, 0, 0, …); none where the column is that already. */
function reflectorOf(column: Float64Array): { along: number; reflector: Float64Array } {
  const [first = 0] = column;
  const rest = dotAt(column, column, { x: 1, y: 1, count: column.length - 1 });
  if (!(rest > 0)) return { along: first, reflector: new Float64Array(0) };
  const norm = Math.sqrt(first * first + rest);
  const along = first > 0 ? -norm : norm;
  const reflector = column.slice();
  reflector[0] = first - along;
  const scale = Math.sqrt(2 / ((first - along) ** 2 + rest));
  return { along, reflector: reflector.map((value) => value * scale) };
}

/** A ← H A H on the rows and columns from `from`: A − u wᵀ − w uᵀ with w = A u − ½ (uᵀ A u) u. */
function reflectBoth(data: Float64Array, n: number, of: { from: number; reflector: Float64Array }): void {
  const { from, reflector: u } = of;
  const count = u.length;
  const w = Float64Array.from({ length: count }, (_, r) =>
    dotAt(data, u, { x: (from + r) * n + from, y: 0, count }),
  );
  const half = dotAt(u, w, { x: 0, y: 0, count }) / 2;
  for (let r = 0; r < count; r++) w[r] = (w[r] as number) - half * (u[r] as number);
  for (let r = 0; r < count; r++) {
    const [ur, wr] = [u[r] as number, w[r] as number];
    for (let c = 0, at = (from + r) * n + from; c < count; c++, at++)
      data[at] = (data[at] as number) - ur * (w[c] as number) - wr * (u[c] as number);
  }
}

/** Qᵀ, of Q the product of all reflections. */
function transposedProduct(reflectors: readonly Float64Array[], n: number): Matrix {
  const q = zeros(n, n);
  for (let k = 0; k < n; k++) q.data[k * n + k] = 1;
  // Qᵀ = … H₁ H₀, so each row of Qᵀ is reflected from the right by the last one first
  for (let k = n - 1; k >= 0; k--) {
    const u = reflectors[k] as Float64Array;
    const count = u.length;
    if (count === 0) continue;
    for (let r = k + 1; r < n; r++) {
      const start = r * n + k + 1;
      const along = dotAt(q.data, u, { x: start, y: 0, count });
      for (let c = 0; c < count; c++)
        q.data[start + c] = (q.data[start + c] as number) - along * (u[c] as number);
    }
  }
  return q;
}

/** QL iterations take this many at the most for an eigenvalue; two or three are usual. */
const MOST_ITERATIONS = 100;

/** Makes T diagonal; every rotation is applied to the rows of v. */
function diagonalise(d: Float64Array, e: Float64Array, v: Matrix): void {
  for (let low = 0; low < d.length; low++)
    for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
      const high = endOfBlock(d, e, low);
      if (high === low) break;
      sweep({ d, e, v }, low, high);
    }
}

/** The first row from `low` on whose entry beside the diagonal is nothing against its neighbours. */
function endOfBlock(d: Float64Array, e: Float64Array, low: number): number {
  let high = low;
  while (high < d.length - 1) {
    const size = Math.abs(d[high] as number) + Math.abs(d[high + 1] as number);
    if (Math.abs(e[high] as number) <= Number.EPSILON * size) return high;
    high += 1;
  }
  return high;
}

/** One QL step on the rows low … high, with the eigenvalue of the upper corner that is nearer as shift. */
function sweep(
  { d, e, v }: { d: Float64Array; e: Float64Array; v: Matrix },
  low: number,
  high: number,
): void {
  const slope = ((d[low + 1] as number) - (d[low] as number)) / (2 * (e[low] as number));
  const root = Math.hypot(slope, 1);
  const shift = (d[low] as number) - (e[low] as number) / (slope + (slope < 0 ? -root : root));
  let [cosine, sine, carried] = [1, 1, 0];
  let bulge = (d[high] as number) - shift;
  for (let k = high - 1; k >= low; k--) {
    const [push, kept] = [sine * (e[k] as number), cosine * (e[k] as number)];
    const radius = Math.hypot(push, bulge);
    e[k + 1] = radius;
    if (radius === 0) {
      d[k + 1] = (d[k + 1] as number) - carried;
      e[high] = 0;
      return;
    }
    [sine, cosine] = [push / radius, bulge / radius];
    const rest = (d[k + 1] as number) - carried;
    const mixed = ((d[k] as number) - rest) * sine + 2 * cosine * kept;
    carried = sine * mixed;
    d[k + 1] = rest + carried;
    bulge = cosine * mixed - kept;
    rotateRows(v, k, { cosine, sine });
  }
  d[low] = (d[low] as number) - carried;
  e[low] = bulge;
  e[high] = 0;
}

/** Rotates rows k and k + 1. */
function rotateRows({ cols, data }: Matrix, k: number, of: { cosine: number; sine: number }): void {
  const { cosine, sine } = of;
  for (let c = 0, x = k * cols, y = x + cols; c < cols; c++, x++, y++) {
    const [left, right] = [data[x] as number, data[y] as number];
    data[x] = cosine * left - sine * right;
    data[y] = sine * left + cosine * right;
  }
}
