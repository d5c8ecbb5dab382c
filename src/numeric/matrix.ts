/**
 * Dense float64 matrices, row-major, and small products for which a call into a backend is not worth its cost.
 */
import type { Matrix } from './linear-algebra.ts';

export function zeros(rows: number, cols: number): Matrix {
  return { rows, cols, data: new Float64Array(rows * cols) };
}

/** The given rows in that order → [rows.length, cols]. */
export function takeRows(m: Matrix, rows: ArrayLike<number>): Matrix {
  const out = zeros(rows.length, m.cols);
  for (let r = 0; r < rows.length; r++) {
    const start = (rows[r] as number) * m.cols;
    out.data.set(m.data.subarray(start, start + m.cols), r * m.cols);
  }
  return out;
}

/** Rows [start, end) as a view on m: writing to the view writes to m. */
export function rowRange(m: Matrix, start: number, end: number): Matrix {
  return { rows: end - start, cols: m.cols, data: m.data.subarray(start * m.cols, end * m.cols) };
}

/** Circular shift: row t of the result is row t − by of m. */
export function shiftRows(m: Matrix, by: number): Matrix {
  return takeRows(m, turnedPlaces(m.rows, by));
}

/** Circular shift of the rows and columns of a square matrix. */
export function shiftBoth(m: Matrix, by: number): Matrix {
  const places = turnedPlaces(m.rows, by);
  return by === 0 ? m : takeBlock(m, [places, places]);
}

function turnedPlaces(n: number, by: number): number[] {
  return Array.from({ length: n }, (_, place) => (((place - by) % n) + n) % n);
}

/** The block of m at rows × cols → [rows.length, cols.length], written to `to` if given. */
export function takeBlock(
  m: Matrix,
  [rows, cols]: [rows: ArrayLike<number>, cols: ArrayLike<number>],
  to: Float64Array = new Float64Array(rows.length * cols.length),
): Matrix {
  const [from, width] = [m.data, cols.length];
  for (let r = 0, at = 0; r < rows.length; r++) {
    const start = (rows[r] as number) * m.cols;
    for (let c = 0; c < width; c++, at++) to[at] = from[start + (cols[c] as number)] as number;
  }
  return { rows: rows.length, cols: width, data: to };
}

export function transpose(m: Matrix): Matrix {
  const out = zeros(m.cols, m.rows);
  for (let r = 0; r < m.rows; r++) {
    for (let c = 0; c < m.cols; c++) out.data[c * m.rows + r] = m.data[r * m.cols + c] as number;
  }
  return out;
}

/** Matrices with equal numbers of rows, side by side. */
export function joinColumns(parts: Matrix[]): Matrix {
  const rows = parts[0]?.rows ?? 0;
  const out = zeros(
    rows,
    parts.reduce((sum, part) => sum + part.cols, 0),
  );
  let left = 0;
  for (const part of parts) {
    for (let r = 0; r < rows; r++) {
      out.data.set(part.data.subarray(r * part.cols, (r + 1) * part.cols), r * out.cols + left);
    }
    left += part.cols;
  }
  return out;
}

/** Splits m into matrices of the given widths, the inverse of `joinColumns`. */
export function splitColumns(m: Matrix, widths: number[]): Matrix[] {
  let left = 0;
  return widths.map((cols) => {
    const part = blockOf(m, { top: 0, left, rows: m.rows, cols });
    left += cols;
    return part;
  });
}

/** aᵀ [k, n] · b [n, m] → [k, m]. */
export function crossProduct(a: Matrix, b: Matrix): Matrix {
  return product(transpose(a), b);
}

/** a [n, k] · b [k, m] → [n, m]. */
export function product(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, b.cols);
  for (let r = 0; r < a.rows; r++) addRowProduct(out, { a, b, row: r, cols: b.cols });
  return out;
}

/** a [n, k] · bᵀ with b [m, k] → [n, m]. */
export function productTransposed(a: Matrix, b: Matrix): Matrix {
  return product(a, transpose(b));
}

/** a · aᵀ of a [n, k] → [n, n]; each pair of rows is multiplied once. */
export function symmetricProduct(a: Matrix): Matrix {
  const n = a.rows;
  const out = zeros(n, n);
  const b = transpose(a);
  for (let r = 0; r < n; r++) addRowProduct(out, { a, b, row: r, cols: r + 1 });
  return mirrorUp(out);
}

/** Copies what is below the diagonal of a square matrix above it, and returns it. */
export function mirrorUp(m: Matrix): Matrix {
  const { rows: n, data } = m;
  for (let r = 0; r < n; r++) for (let c = 0; c < r; c++) data[c * n + r] = data[r * n + c] as number;
  return m;
}

/** The row of a product to add to, and how many of its columns from the left. */
interface RowProduct {
  a: Matrix;
  b: Matrix;
  row: number;
  cols: number;
  /** The rows of b to add, by default all. */
  from?: number;
  to?: number;
  /** Whether b is lower triangular: 0 above its diagonal. */
  isLower?: boolean;
}

/** Adds four rows of b at once, so that the output row is read and written once for all four. */
export function addRowProduct(out: Matrix, of: RowProduct): void {
  const { a, b, row, cols, from: begin = 0, to: end = a.cols, isLower = false } = of;
  const [to, from, weights, width] = [out.data, b.data, a.data, b.cols];
  const start = row * width;
  const first = row * a.cols;
  let k = begin;
  for (; k + 3 < end; k += 4) {
    const w0 = weights[first + k] as number;
    const w1 = weights[first + k + 1] as number;
    const w2 = weights[first + k + 2] as number;
    const w3 = weights[first + k + 3] as number;
    const x = k * width;
    const last = isLower ? Math.min(cols, k + 4) : cols;
    for (let c = 0; c < last; c++) {
      const low = w0 * (from[x + c] as number) + w1 * (from[x + width + c] as number);
      const high = w2 * (from[x + 2 * width + c] as number) + w3 * (from[x + 3 * width + c] as number);
      to[start + c] = (to[start + c] as number) + (low + high);
    }
  }
  for (; k < end; k++) {
    const weight = weights[first + k] as number;
    for (let c = 0; c < cols; c++)
      to[start + c] = (to[start + c] as number) + weight * (from[k * width + c] as number);
  }
}

export const copyOf = (m: Matrix): Matrix => ({ ...m, data: m.data.slice() });

/** Adds `other` [n, m] to m [n, m] in place. */
export function addTo(m: Matrix, other: Matrix): void {
  const [to, from] = [m.data, other.data];
  for (let at = 0; at < to.length; at++) to[at] = (to[at] as number) + (from[at] as number);
}

/** Subtracts `other` [n, m] from m [n, m] in place, and returns m. */
export function subtractFrom(m: Matrix, other: Matrix): Matrix {
  const [to, from] = [m.data, other.data];
  for (let at = 0; at < to.length; at++) to[at] = (to[at] as number) - (from[at] as number);
  return m;
}

/** −m, written to the beginning of `buffer`, which may be m's own memory. */
export function negated({ data, ...size }: Matrix, buffer: Float64Array): Matrix {
  for (let at = 0; at < data.length; at++) buffer[at] = -(data[at] as number);
  return { ...size, data: buffer.subarray(0, data.length) };
}

/** Σ aᵢ bᵢ over all entries. */
export function innerProduct(a: Matrix, b: Matrix): number {
  let sum = 0;
  for (let i = 0; i < a.data.length; i++) sum += (a.data[i] as number) * (b.data[i] as number);
  return sum;
}

export function isFinite(m: Matrix): boolean {
  for (let at = 0; at < m.data.length; at++) if (!Number.isFinite(m.data[at])) return false;
  return true;
}

/** A copy of the block [rows, cols] of m that begins at `top` and `left`. */
export function blockOf(m: Matrix, at: { top: number; left: number; rows: number; cols: number }): Matrix {
  return copyBlock(m, at, zeros(at.rows, at.cols));
}

/** Copies the block of m that begins at `top` and `left`, in the size of `into`, to `into`. */
export function copyBlock(m: Matrix, { top, left }: { top: number; left: number }, into: Matrix): Matrix {
  for (let r = 0; r < into.rows; r++) {
    const start = (top + r) * m.cols + left;
    into.data.set(m.data.subarray(start, start + into.cols), r * into.cols);
  }
  return into;
}
