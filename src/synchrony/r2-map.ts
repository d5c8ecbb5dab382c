/**
 * The layer × layer R² map of one split at the price of two Gram passes, in sample space:
 *
 *   source layer i: K = X Xᵀ centred by the training mean;  Q = (K_train + λI)⁻¹ K_train,test;  M = Q Qᵀ
 *   target layer j: Z = (Y − training mean) / √(test sum of squares), per column;  G = Z Zᵀ
 *   R²[i, j] = 1 − (‖Z_test‖² − 2⟨Q, G_train,test⟩ + ⟨M, G_train⟩) / dims
 *
 * which is a ridge regression with free intercept and scikit-learn's uniformly averaged r2_score. All pairs (i, j) are one
 * matrix product of the stacked [Q, M] with the stacked [−2 G_train,test, G_train].
 */
import { takeBlock, zeros } from './matrix.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

export interface MapInput {
  /** Per source layer [n, n]: X Xᵀ, any common offset of the rows. */
  sourceGrams: Matrix[];
  /** Per target layer [n, dims]. */
  targets: Matrix[];
  split: Uint8Array;
  lambda: number;
  /** Training row that stands at each training place (the paper's shuffled null); left out: each its own. */
  trainingOrder?: Int32Array;
}

interface Sides {
  train: Int32Array;
  test: Int32Array;
}

/** R² [source layers, target layers]. */
export async function r2Map(input: MapInput, algebra: LinearAlgebra): Promise<Matrix> {
  const sides = sidesOf(input.split);
  const length = sides.train.length * (sides.train.length + sides.test.length);
  const hats = zeros(input.sourceGrams.length, length);
  for (const [i, gram] of input.sourceGrams.entries()) {
    const stack = hats.data.subarray(i * length, (i + 1) * length);
    await stackHat({ gram, sides, lambda: input.lambda, stack }, algebra);
  }
  const targets = zeros(input.targets.length, length);
  const constants: number[] = [];
  for (const [j, target] of input.targets.entries()) {
    const scaled = scaledTarget(target, sides, input.trainingOrder ?? sides.train);
    constants.push(scaled.constant);
    const stack = targets.data.subarray(j * length, (j + 1) * length);
    stackTarget({ g: await algebra.gram(scaled.rows), sides, dims: target.cols, stack });
  }
  const fit = await algebra.multiplyTransposed(hats, targets);
  return { ...fit, data: fit.data.map((value, at) => 1 - (constants[at % fit.cols] as number) - value) };
}

function sidesOf(split: Uint8Array): Sides {
  const rows = Int32Array.from(split, (_, row) => row);
  return { train: rows.filter((row) => split[row] === 0), test: rows.filter((row) => split[row] === 1) };
}

/** Writes [Q, M] of one source layer into its place in the stack. */
async function stackHat(
  source: { gram: Matrix; sides: Sides; lambda: number; stack: Float64Array },
  algebra: LinearAlgebra,
): Promise<void> {
  const { train, test } = source.sides;
  const inner = takeBlock(source.gram, train, train);
  const cross = takeBlock(source.gram, train, test);
  centreByTraining(inner, cross);
  const hat = await algebra.solveRidge(inner, source.lambda, cross);
  source.stack.set(hat.data);
  source.stack.set((await algebra.gram(hat)).data, hat.data.length);
}

/** Takes the training mean out of both kernels, in place: inner [train, train], cross [train, test]. */
function centreByTraining(inner: Matrix, cross: Matrix): void {
  const n = inner.rows;
  const means = rowMeans(inner);
  const grand = means.reduce((sum, mean) => sum + mean, 0) / n;
  const testMeans = new Float64Array(cross.cols);
  for (let at = 0; at < cross.data.length; at++) {
    const column = at % cross.cols;
    testMeans[column] = (testMeans[column] as number) + (cross.data[at] as number) / n;
  }
  for (let r = 0; r < n; r++) {
    const shift = grand - (means[r] as number);
    for (let c = 0; c < n; c++) {
      inner.data[r * n + c] = (inner.data[r * n + c] as number) + shift - (means[c] as number);
    }
    for (let c = 0; c < cross.cols; c++) {
      const at = r * cross.cols + c;
      cross.data[at] = (cross.data[at] as number) + shift - (testMeans[c] as number);
    }
  }
}

function rowMeans(m: Matrix): Float64Array {
  const means = new Float64Array(m.rows);
  for (let r = 0; r < m.rows; r++) {
    let sum = 0;
    for (let c = 0; c < m.cols; c++) sum += m.data[r * m.cols + c] as number;
    means[r] = sum / m.cols;
  }
  return means;
}

/** Z with the training rows first [train + test, dims], and the part of 1 − R² that no prediction changes. */
function scaledTarget(y: Matrix, sides: Sides, training: Int32Array): { rows: Matrix; constant: number } {
  const { train, test } = sides;
  const mean = columnMeans(y, train);
  const total = columnSquares(y, test, columnMeans(y, test));
  const flat = constantColumns(y, test);
  // A column without variance in the test part: scikit-learn calls it 0 unless it is predicted perfectly, and never divides.
  const scale = total.map((value, c) => (value > 0 && flat[c] === 0 ? 1 / Math.sqrt(value) : 0));
  const rows = zeros(train.length + test.length, y.cols);
  for (const [r, row] of training.entries()) scaleRow({ from: y, row, to: rows, at: r }, mean, scale);
  for (const [r, row] of test.entries())
    scaleRow({ from: y, row, to: rows, at: train.length + r }, mean, scale);
  let constant = 0;
  for (let at = train.length * y.cols; at < rows.data.length; at++)
    constant += (rows.data[at] as number) ** 2;
  const known = constantColumns(y, train);
  for (const [c, value] of scale.entries()) {
    const perfect =
      known[c] === 1 &&
      y.data[(train[0] as number) * y.cols + c] === y.data[(test[0] as number) * y.cols + c];
    if (value === 0 && !perfect) constant += 1;
  }
  return { rows, constant: constant / y.cols };
}

interface RowScaling {
  from: Matrix;
  row: number;
  to: Matrix;
  at: number;
}

function scaleRow({ from, row, to, at }: RowScaling, mean: Float64Array, scale: Float64Array): void {
  const source = row * from.cols;
  const target = at * from.cols;
  for (let c = 0; c < from.cols; c++) {
    to.data[target + c] = ((from.data[source + c] as number) - (mean[c] as number)) * (scale[c] as number);
  }
}

function columnMeans(y: Matrix, rows: Int32Array): Float64Array {
  const sums = new Float64Array(y.cols);
  for (const row of rows) {
    for (let c = 0; c < y.cols; c++) sums[c] = (sums[c] as number) + (y.data[row * y.cols + c] as number);
  }
  return sums.map((sum) => sum / rows.length);
}

function columnSquares(y: Matrix, rows: Int32Array, mean: Float64Array): Float64Array {
  const sums = new Float64Array(y.cols);
  for (const row of rows) {
    for (let c = 0; c < y.cols; c++) {
      const deviation = (y.data[row * y.cols + c] as number) - (mean[c] as number);
      sums[c] = (sums[c] as number) + deviation * deviation;
    }
  }
  return sums;
}

/** 1 for every column that has one value in all the rows. */
function constantColumns(y: Matrix, rows: Int32Array): Uint8Array {
  const flat = new Uint8Array(y.cols).fill(1);
  const first = (rows[0] as number) * y.cols;
  for (const row of rows) {
    for (let c = 0; c < y.cols; c++) if (y.data[row * y.cols + c] !== y.data[first + c]) flat[c] = 0;
  }
  return flat;
}

/** Writes [−2 G_train,test, G_train] / dims of one target layer into its place; g has the training rows first. */
function stackTarget(target: { g: Matrix; sides: Sides; dims: number; stack: Float64Array }): void {
  const { g, sides, dims, stack } = target;
  const train = sides.train.length;
  const test = sides.test.length;
  for (let r = 0; r < train; r++) {
    const start = r * g.cols;
    for (let c = 0; c < test; c++) stack[r * test + c] = (-2 * (g.data[start + train + c] as number)) / dims;
    const square = train * test + r * train;
    for (let c = 0; c < train; c++) stack[square + c] = (g.data[start + c] as number) / dims;
  }
}
