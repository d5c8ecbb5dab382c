/**
 * Predictions of held-out rows from one source layer with few dims, without any matrix [n, n]:
 *
 *   Q [n, dims + 1]: the orthonormal columns of source-inverse.ts, and 1/√n, which makes the intercept free
 *   split:           the prediction of the test rows is Q_test (I − Q_testᵀ Q_test)⁻¹ Q_trainᵀ Z_train
 *
 * It is the prediction Cᵀ Z_train of r2-map.ts, since λS = I − Q Qᵀ. Work and memory grow with n instead of n².
 */
import { rowRange, subtractFrom, takeRows, zeros } from '../../numeric/matrix.ts';
import { dotAt } from '../../numeric/row-product.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { orthonormalColumns } from './source-inverse.ts';

export interface Sides {
  train: Int32Array;
  test: Int32Array;
}

/** What the choice between the two ways of prediction depends on. */
export interface Sizes {
  n: number;
  /** Dims of the source layer, and of all target layers together. */
  dims: number;
  targetDims: number;
  /** Number of source layers. */
  sources: number;
}

/** Test rows times training rows over n². */
const WEIGHTS_SHARE = 0.16;

/** Whether predictions by columns are less work than weights of rows, which all source layers share in part. */
export function isNarrow({ n, dims, targetDims, sources }: Sizes): boolean {
  return dims * targetDims <= n * (WEIGHTS_SHARE * n + targetDims / sources);
}

/** Q [n, dims + 1] of a layer [n, dims] with centred columns. */
export async function narrowBasis(layer: Matrix, lambda: number, algebra: LinearAlgebra): Promise<Matrix> {
  const columns = await orthonormalColumns(layer, lambda, algebra);
  const out = zeros(layer.rows, layer.cols + 1);
  for (let r = 0; r < out.rows; r++) {
    out.data.set(columns.data.subarray(r * layer.cols, (r + 1) * layer.cols), r * out.cols);
    out.data[r * out.cols + layer.cols] = 1 / Math.sqrt(out.rows);
  }
  return out;
}

/**
 * ‖Z_test − prediction‖² of each target.
 *
 * @param targets Z [train + test, any] each, training rows first
 */
export async function narrowErrors(
  basis: Matrix,
  { sides: { train, test }, targets }: { sides: Sides; targets: readonly Matrix[] },
  algebra: LinearAlgebra,
): Promise<number[]> {
  const [left, right] = [takeRows(basis, train), takeRows(basis, test)];
  const inner = await algebra.crossMultiply(right, right);
  for (let at = 0; at < inner.data.length; at++)
    inner.data[at] = (at % (inner.cols + 1) === 0 ? 1 : 0) - (inner.data[at] as number);
  const smoothed = await algebra.multiply(right, await algebra.invertRidge(inner, 0));
  const errors: number[] = [];
  for (const z of targets) {
    const along = await algebra.crossMultiply(left, rowRange(z, 0, train.length));
    const guess = await algebra.multiply(smoothed, along);
    const { data } = subtractFrom(guess, rowRange(z, train.length, z.rows));
    errors.push(dotAt(data, data, { x: 0, y: 0, count: data.length }));
  }
  return errors;
}
