/**
 * The layer × layer R² map of any number of splits, in sample space. Each source layer is inverted once for all splits:
 *
 *   source layer i: K = X Xᵀ, column means out;  S = (K + λI)⁻¹ less its part along 1, which is the free intercept
 *   split:          E = S[:, test] · S[test, test]⁻¹ [n, test], so that −Eᵀ Y = prediction − truth for every test row
 *   target layer j: Z = Y / √(test sum of squares), per column
 *   R²[i, j] = 1 − ‖Eᵀ Z‖² / dims, where ‖Eᵀ Z‖² = ⟨E Eᵀ, Z Zᵀ⟩
 *
 * which is a ridge regression with free intercept and scikit-learn's uniformly averaged r2_score. That a held-out prediction needs only
 * the test rows of the full inverse follows from inversion by blocks: S[train, test] · S[test, test]⁻¹ = −(K + λI)[train]⁻¹ K[train, test].
 * Digits: about 1e-13 on ordinary states; where a few dims are 1e4 times the others and n exceeds dims, K's condition leaves about 1e-6.
 * S takes constants to 0, so columns of Z may have any offset; small ones lose fewer digits.
 */
import { takeBlock, takeRows } from './matrix.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

export interface MapInput {
  /** Per source layer [n, n]: see `sourceInverse`. */
  inverses: Matrix[];
  targets: Target[];
  split: Uint8Array;
  /** Training row that stands at each training place (the paper's shuffled null); left out: each its own. */
  trainingOrder?: Int32Array;
}

/** One target layer. */
export interface Target {
  /** Y [n, dims] */
  rows: Matrix;
  /** Column means [dims], or whatever else lies near the values. */
  offset: Float64Array;
  /** Room for Z [n, dims], written anew for every split: memory never touched costs more than a pass over it. */
  room: Matrix;
}

interface Sides {
  train: Int32Array;
  test: Int32Array;
}

/** S [n, n] of a source layer [n, dims] whose column means are out. */
export async function sourceInverse(layer: Matrix, lambda: number, algebra: LinearAlgebra): Promise<Matrix> {
  const kernel = await algebra.gram(layer);
  const n = kernel.rows;
  // The kernel is 0 along 1. Made as large there as elsewhere, it is well conditioned; what was added is known and taken out again.
  let along = 0;
  for (let r = 0; r < n; r++) along += (kernel.data[r * n + r] as number) / n;
  addToAll(kernel, along / n);
  const inverse = await algebra.invertRidge(kernel, lambda);
  addToAll(inverse, -1 / (n * (lambda + along)));
  return inverse;
}

function addToAll({ data }: Matrix, value: number): void {
  for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + value;
}

/** R² [source layers, target layers]. */
export async function r2Map(input: MapInput, algebra: LinearAlgebra): Promise<Matrix> {
  const sides = sidesOf(input.split);
  const errors: Matrix[] = [];
  for (const inverse of input.inverses) errors.push(await errorMaker(inverse, sides.test, algebra));
  const order = rowOrder(sides, input.trainingOrder);
  const scaled = input.targets.map((target) => scaledTarget(target, sides, order));
  const squares = await algebra.gramProducts(
    errors,
    scaled.map(({ rows }) => rows),
  );
  const data = squares.data.map((square, at) => {
    const { dims, unexplained } = scaled[at % squares.cols] as ScaledTarget;
    return 1 - (square + unexplained) / dims;
  });
  return { ...squares, data };
}

function sidesOf(split: Uint8Array): Sides {
  const rows = Int32Array.from(split, (_, row) => row);
  return { train: rows.filter((row) => split[row] === 0), test: rows.filter((row) => split[row] === 1) };
}

/** E [n, test]. */
async function errorMaker(inverse: Matrix, test: Int32Array, algebra: LinearAlgebra): Promise<Matrix> {
  const inner = await algebra.invertRidge(takeBlock(inverse, test, test), 0);
  return algebra.crossMultiply(takeRows(inverse, test), inner);
}

/** The row of Y that stands in each row of Z. */
function rowOrder({ train, test }: Sides, training: Int32Array | undefined): Int32Array | undefined {
  if (training === undefined) return undefined;
  const order = new Int32Array(train.length + test.length);
  for (const row of test) order[row] = row;
  for (const [place, row] of train.entries()) order[row] = training[place] as number;
  return order;
}

interface ScaledTarget {
  /** Z [n, dims]. */
  rows: Matrix;
  dims: number;
  /** Columns without variance in the test part, which are not predicted either. */
  unexplained: number;
}

function scaledTarget(target: Target, sides: Sides, order: Int32Array | undefined): ScaledTarget {
  const y = target.rows;
  const total = squaresAroundMean(y, sides.test);
  const flat = constantColumns(y, sides.test);
  const isFlat = (value: number, c: number): boolean => flat.has(c) || !(value > 0);
  // scikit-learn calls a column without variance in the test part 0 unless it is predicted perfectly, and never divides.
  const scale = total.map((value, c) => (isFlat(value, c) ? 0 : 1 / Math.sqrt(value)));
  const known = flat.size > 0 ? constantColumns(y, sides.train) : flat;
  const valueOf = (rows: Int32Array, c: number): number => y.data[(rows[0] as number) * y.cols + c] as number;
  let unexplained = 0;
  for (const [c, value] of total.entries()) {
    const perfect = known.has(c) && valueOf(sides.train, c) === valueOf(sides.test, c);
    if (isFlat(value, c) && !perfect) unexplained += 1;
  }
  return { rows: scaledRows(target, scale, order), dims: y.cols, unexplained };
}

function scaledRows({ rows: y, offset, room }: Target, scale: Float64Array, order?: Int32Array): Matrix {
  const [from, to, cols] = [y.data, room.data, y.cols];
  for (let r = 0; r < y.rows; r++) {
    const source = (order?.[r] ?? r) * cols;
    const target = r * cols;
    for (let c = 0; c < cols; c++)
      to[target + c] = ((from[source + c] as number) - (offset[c] as number)) * (scale[c] as number);
  }
  return room;
}

/** Per column, over some rows. */
function squaresAroundMean(y: Matrix, rows: Int32Array): Float64Array {
  const mean = new Float64Array(y.cols);
  for (const row of rows) {
    const start = row * y.cols;
    for (let c = 0; c < y.cols; c++) mean[c] = (mean[c] as number) + (y.data[start + c] as number);
  }
  for (let c = 0; c < y.cols; c++) mean[c] = (mean[c] as number) / rows.length;
  const sums = new Float64Array(y.cols);
  for (const row of rows) {
    const start = row * y.cols;
    for (let c = 0; c < y.cols; c++) {
      const deviation = (y.data[start + c] as number) - (mean[c] as number);
      sums[c] = (sums[c] as number) + deviation * deviation;
    }
  }
  return sums;
}

/** Every column that has one value in all the rows. */
function constantColumns(y: Matrix, rows: Int32Array): Set<number> {
  const first = (rows[0] as number) * y.cols;
  const flat = new Set(Array.from({ length: y.cols }, (_, c) => c));
  for (const row of rows) {
    for (const c of flat) if (y.data[row * y.cols + c] !== y.data[first + c]) flat.delete(c);
    if (flat.size === 0) break;
  }
  return flat;
}
