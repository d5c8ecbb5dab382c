/**
 * The layer × layer map of R² for any number of splits, in sample space. Each source layer is inverted once for
 * all splits:
 *
 *   source layer i: K = X Xᵀ, columns centred;  S = (K + λI)⁻¹ minus its part along 1 (source-inverse.ts)
 *   split:          C = −S[train, test] · S[test, test]⁻¹, so that Cᵀ Y_train is the prediction of every test row
 *   target layer j: Z = Y / √(test sum of squares), per column
 *   R²[i, j] = 1 − ‖Z_test − Cᵀ Z_train‖² / dims
 *
 * This is a ridge regression with free intercept and scikit-learn's uniformly averaged r2_score over the dims
 * that vary; a constant dim says nothing of coupling and is left out (r2_score gives it 1). A held-out
 * prediction needs only the test rows of the full inverse, by inversion in blocks: S[train, test] · S[test,
 * test]⁻¹ = −(K + λI)[train]⁻¹ K[train, test]. S maps constants to 0, so columns of Z may have any offset;
 * small ones lose fewer digits. A source layer with few dims gives the same predictions without S (narrow-source.ts).
 */
import { columnMeans, columnSquares, scaleColumns } from '../../numeric/columns.ts';
import { negated, takeBlock, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { narrowErrors, type Sides } from './narrow-source.ts';

/** A source layer: S [n, n] up to a factor, or the basis Q [n, dims + 1] of narrow-source.ts. */
export type Source = { type: 'inverse'; inverse: Matrix } | { type: 'narrow'; basis: Matrix };

export interface MapInput {
  sources: Source[];
  targets: Target[];
  split: Uint8Array;
  /** Row to use in place of each training row (the paper's shuffled null); by default each its own. */
  trainingOrder?: Int32Array;
}

/** One target layer. */
export interface Target {
  /** Y [n, dims]. */
  rows: Matrix;
  /** Column means [dims], or any values near the data. */
  offset: Float64Array;
  /** Constant columns, which are no dims of the score. */
  dead: ReadonlySet<number>;
  /**
   * Buffer for Z [n, dims], reused for every split, since touching new memory costs more than a pass over it.
   */
  buffer: Matrix;
}

/** R² [source layers, target layers]; NaN for a target layer without a dim that varies. */
export async function r2Map(input: MapInput, algebra: LinearAlgebra): Promise<Matrix> {
  const sides = sidesOf(input.split);
  const order = Int32Array.from([...(input.trainingOrder ?? sides.train), ...sides.test]);
  const scaled = input.targets.map((target) => scaledTarget(target, sides, order));
  const targets = scaled.map(({ rows }) => rows);
  return explainedShare(await errorsOf(input.sources, { sides, targets }, algebra), scaled);
}

/** ‖Z_test − prediction‖² [source layers, target layers]. */
async function errorsOf(
  sources: readonly Source[],
  of: { sides: Sides; targets: Matrix[] },
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const inverses = sources.flatMap((source) => (source.type === 'inverse' ? [source.inverse] : []));
  const lengths = inverses.length === 0 ? [] : weightBufferLengths(inverses.length, of.sides);
  const shared = await algebra.lend(lengths, async (buffers) => {
    const weights = await allWeights(inverses, { sides: of.sides, buffers }, algebra);
    return algebra.squaredErrors(weights, of.targets);
  });
  const errors = zeros(sources.length, of.targets.length);
  let row = 0;
  for (const [at, source] of sources.entries()) {
    const start = row * shared.cols;
    const own =
      source.type === 'narrow'
        ? await narrowErrors(source.basis, of, algebra)
        : shared.data.subarray(start, start + shared.cols);
    if (source.type === 'inverse') row += 1;
    errors.data.set(own, at * errors.cols);
  }
  return errors;
}

/** R² from the squared errors [source layers, target layers]. */
export function explainedShare(squares: Matrix, scaled: readonly ScaledTarget[]): Matrix {
  const data = squares.data.map((square, at) => {
    const { dims, unexplained } = scaled[at % squares.cols] as ScaledTarget;
    return 1 - (square + unexplained) / dims;
  });
  return { ...squares, data };
}

export function sidesOf(split: Uint8Array): Sides {
  const rows = Int32Array.from(split, (_, row) => row);
  return { train: rows.filter((row) => split[row] === 0), test: rows.filter((row) => split[row] === 1) };
}

/** Buffer lengths: two for computing the weights of a source layer, and one for the weights of each layer. */
function weightBufferLengths(layers: number, { train, test }: Sides): number[] {
  const weights = Array.from({ length: layers }, () => train.length * test.length);
  return [test.length * test.length, test.length * train.length, ...weights];
}

interface WeightWork {
  sides: Sides;
  buffers: Float64Array[];
}

/** C [train, test] of every source layer. */
async function allWeights(
  sources: Matrix[],
  { sides, buffers: [own, across, ...into] }: WeightWork,
  algebra: LinearAlgebra,
): Promise<Matrix[]> {
  const weights: Matrix[] = [];
  for (const [index, source] of sources.entries())
    weights.push(await weightsOf(source, { sides, own, across, into: into[index] }, algebra));
  return weights;
}

/** Buffers, which may be left out: [test · test], [test · train] and [train · test]. */
interface WeightBuffers {
  sides: Sides;
  own?: Float64Array | undefined;
  across?: Float64Array | undefined;
  into?: Float64Array | undefined;
}

/** C [train, test] of one source layer. */
export async function weightsOf(
  source: Matrix,
  { sides: { train, test }, own, across, into }: WeightBuffers,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const square = takeBlock(source, [test, test], own);
  const inner = await algebra.invertRidge(square, 0, square.data);
  const outer = takeBlock(source, [test, train], across);
  return algebra.crossMultiply(outer, negated(inner, inner.data), into);
}

export interface ScaledTarget {
  /** Z [n, dims]: training rows first, then test rows. */
  rows: Matrix;
  /** Number of dims that vary. */
  dims: number;
  /** Number of columns that are constant in the test part only; their R² is 0, as in scikit-learn. */
  unexplained: number;
}

/** Z of one target layer, in the order of the rows. */
export function scaledTarget(
  { rows: y, offset, dead, buffer }: Target,
  sides: Sides,
  order: Int32Array,
): ScaledTarget {
  const total = columnSquares(y, columnMeans(y, sides.test), sides.test);
  const flat = constantColumns(y, sides.test);
  const factor = total.map((value, c) => (flat.has(c) || !(value > 0) ? 0 : 1 / Math.sqrt(value)));
  const unscaled = factor.filter((value) => value === 0).length;
  const rows = scaleColumns(y, { offset, factor }, { rows: order, into: buffer });
  return { rows, dims: y.cols - dead.size, unexplained: unscaled - dead.size };
}

/** Columns that are constant over all rows, or over the given ones. */
export function constantColumns(
  { rows: count, cols, data }: Matrix,
  rows: Int32Array = Int32Array.from({ length: count }, (_, row) => row),
): Set<number> {
  const [first = 0, second = first, ...others] = rows;
  let flat: number[] = [];
  for (let c = 0; c < cols; c++) if (data[first * cols + c] === data[second * cols + c]) flat.push(c);
  for (const row of others) {
    if (flat.length === 0) break;
    flat = flat.filter((c) => data[row * cols + c] === data[first * cols + c]);
  }
  return new Set(flat);
}
