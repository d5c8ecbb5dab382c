/** Dense float64 matrices, row-major, and the few small products that are not worth a backend. */
import type { Matrix } from './types.ts';

export function zeros(rows: number, cols: number): Matrix {
  return { rows, cols, data: new Float64Array(rows * cols) };
}

/** The given rows, in that order → [rows.length, cols]. */
export function takeRows(m: Matrix, rows: ArrayLike<number>): Matrix {
  const out = zeros(rows.length, m.cols);
  for (let r = 0; r < rows.length; r++) {
    const start = (rows[r] as number) * m.cols;
    out.data.set(m.data.subarray(start, start + m.cols), r * m.cols);
  }
  return out;
}

/** m at (rows × cols) → [rows.length, cols.length]. */
export function takeBlock(m: Matrix, rows: ArrayLike<number>, cols: ArrayLike<number>): Matrix {
  const out = zeros(rows.length, cols.length);
  let at = 0;
  for (let r = 0; r < rows.length; r++) {
    const start = (rows[r] as number) * m.cols;
    for (let c = 0; c < cols.length; c++) out.data[at++] = m.data[start + (cols[c] as number)] as number;
  }
  return out;
}

export function transpose(m: Matrix): Matrix {
  const out = zeros(m.cols, m.rows);
  for (let r = 0; r < m.rows; r++) {
    for (let c = 0; c < m.cols; c++) out.data[c * m.rows + r] = m.data[r * m.cols + c] as number;
  }
  return out;
}

/** Matrices of equal row count, side by side. */
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

/** aᵀ [k, n] · b [n, m] → [k, m]; zero entries of a cost nothing, so indicator columns are cheap. */
export function crossProduct(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.cols, b.cols);
  for (let r = 0; r < a.rows; r++) {
    for (let k = 0; k < a.cols; k++) {
      const weight = a.data[r * a.cols + k] as number;
      if (weight !== 0) addScaledRow(out, k, { from: b, row: r, weight });
    }
  }
  return out;
}

/** a [n, k] · b [k, m] → [n, m]. */
export function product(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, b.cols);
  for (let r = 0; r < a.rows; r++) {
    for (let k = 0; k < a.cols; k++) {
      const weight = a.data[r * a.cols + k] as number;
      if (weight !== 0) addScaledRow(out, r, { from: b, row: k, weight });
    }
  }
  return out;
}

/** a [n, k] · bᵀ with b [m, k] → [n, m]. */
export function productTransposed(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, b.rows);
  for (let r = 0; r < a.rows; r++) {
    for (let s = 0; s < b.rows; s++) out.data[r * b.rows + s] = rowDot(a, r, { of: b, row: s });
  }
  return out;
}

/** a [n, k] · aᵀ → [n, n], each pair of rows once. */
export function symmetricProduct(a: Matrix): Matrix {
  const out = zeros(a.rows, a.rows);
  for (let r = 0; r < a.rows; r++) {
    for (let s = 0; s <= r; s++) {
      const value = rowDot(a, r, { of: a, row: s });
      out.data[r * a.rows + s] = value;
      out.data[s * a.rows + r] = value;
    }
  }
  return out;
}

/** Row `row` of m += weight × a row of another matrix with as many columns. */
function addScaledRow(m: Matrix, row: number, add: { from: Matrix; row: number; weight: number }): void {
  const { weight, from } = add;
  const to = row * m.cols;
  const source = add.row * from.cols;
  const target = m.data;
  const data = from.data;
  for (let c = 0; c < m.cols; c++) {
    target[to + c] = (target[to + c] as number) + weight * (data[source + c] as number);
  }
}

function rowDot(a: Matrix, row: number, other: { of: Matrix; row: number }): number {
  const left = row * a.cols;
  const right = other.row * a.cols;
  const x = a.data;
  const y = other.of.data;
  let sum = 0;
  for (let c = 0; c < a.cols; c++) sum += (x[left + c] as number) * (y[right + c] as number);
  return sum;
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

/** A copy of neighbouring rows and columns [rows, cols]. */
export function blockOf(m: Matrix, at: { top: number; left: number; rows: number; cols: number }): Matrix {
  const out = zeros(at.rows, at.cols);
  for (let r = 0; r < at.rows; r++) {
    const start = (at.top + r) * m.cols + at.left;
    out.data.set(m.data.subarray(start, start + at.cols), r * at.cols);
  }
  return out;
}
