/**
 * Cholesky solve by blocks, so that nearly all of its work is matrix products, which the backend does at full speed.
 *
 *   per block column k:  A[k,k] = L Lᵀ;  panel P = A[below,k] L⁻ᵀ;  A[below,below] −= P Pᵀ
 */
import { cholesky } from '../src/synchrony/cholesky.ts';
import { blockOf, transpose, zeros } from '../src/synchrony/matrix.ts';
import type { LinearAlgebra, Matrix } from '../src/synchrony/types.ts';

const BLOCK = 128;

type Products = Pick<LinearAlgebra, 'multiply' | 'multiplyTransposed' | 'gram'>;

interface Panel {
  start: number;
  end: number;
  /** L⁻¹ of the diagonal block. */
  inverse: Matrix;
  /** L below the diagonal block [n − end, end − start]. */
  below: Matrix;
}

/** Solves (s + λI) x = b → [n, m]; undefined where s + λI is not positive definite to rounding. */
export async function blockedSolve(
  system: { s: Matrix; lambda: number; b: Matrix },
  products: Products,
): Promise<Matrix | undefined> {
  const panels = await factor(system.s, system.lambda, products);
  if (panels === undefined) return undefined;
  const x = { ...system.b, data: system.b.data.slice() };
  for (const panel of panels) {
    const own = await products.multiply(panel.inverse, rowsOf(x, panel.start, panel.end));
    setRows(x, panel.start, own);
    if (panel.below.rows > 0) subtractRows(x, panel.end, await products.multiply(panel.below, own));
  }
  for (const panel of panels.reverse()) {
    const own = rowsOf(x, panel.start, panel.end);
    if (panel.below.rows > 0) {
      const later = rowsOf(x, panel.end, x.rows);
      subtractRows(own, 0, await products.multiply(transpose(panel.below), later));
    }
    setRows(x, panel.start, await products.multiply(transpose(panel.inverse), own));
  }
  return x;
}

async function factor(s: Matrix, lambda: number, products: Products): Promise<Panel[] | undefined> {
  const panels: Panel[] = [];
  let rest: Matrix = { ...s, data: s.data.slice() };
  for (let k = 0; k < s.rows; k++) rest.data[k * s.rows + k] = (rest.data[k * s.rows + k] as number) + lambda;
  for (let start = 0; start < s.rows; start += BLOCK) {
    const size = Math.min(BLOCK, s.rows - start);
    const left = rest.rows - size;
    const lower = cholesky(blockOf(rest, { top: 0, left: 0, rows: size, cols: size }), 0);
    if (lower === undefined) return undefined;
    const inverse = invertLower(lower, size);
    const below = await products.multiplyTransposed(
      blockOf(rest, { top: size, left: 0, rows: left, cols: size }),
      inverse,
    );
    panels.push({ start, end: start + size, inverse, below });
    if (left === 0) break;
    rest = blockOf(rest, { top: size, left: size, rows: left, cols: left });
    subtractRows(rest, 0, await products.gram(below));
  }
  return panels;
}

/** L⁻¹ [n, n] of a lower factor, column by column. */
function invertLower(lower: Float64Array, n: number): Matrix {
  const inverse = zeros(n, n);
  for (let c = 0; c < n; c++) {
    inverse.data[c * n + c] = 1 / (lower[c * n + c] as number);
    for (let r = c + 1; r < n; r++) {
      let sum = 0;
      for (let k = c; k < r; k++) sum += (lower[r * n + k] as number) * (inverse.data[k * n + c] as number);
      inverse.data[r * n + c] = -sum / (lower[r * n + r] as number);
    }
  }
  return inverse;
}

/** Rows [start, end) as a view. */
function rowsOf(m: Matrix, start: number, end: number): Matrix {
  return { rows: end - start, cols: m.cols, data: m.data.subarray(start * m.cols, end * m.cols) };
}

function setRows(m: Matrix, start: number, rows: Matrix): void {
  m.data.set(rows.data, start * m.cols);
}

function subtractRows(m: Matrix, start: number, rows: Matrix): void {
  const offset = start * m.cols;
  for (let at = 0; at < rows.data.length; at++) {
    m.data[offset + at] = (m.data[offset + at] as number) - (rows.data[at] as number);
  }
}
