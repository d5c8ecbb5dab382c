/**
 * S = (K + λI)⁻¹ of one source layer, where K = X Xᵀ of centred columns, minus its part along 1, which makes
 * the intercept free. There are two ways to the same numbers; the second gives them times λ, which does not
 * change a prediction:
 *
 *   by rows:     the inverse [n, n] itself
 *   by columns:  λS = I − 1 1ᵀ/n − Q Qᵀ, where Q is the upper part of [X; √λ I] with its columns made orthonormal:
 *                W (Xᵀ X + λI) Wᵀ = I,  P = X Wᵀ;   V (Pᵀ P + λ W Wᵀ) Vᵀ = I,  Q = P Vᵀ
 *
 * With fewer columns than rows K is singular. In the first way the digits of λ are lost in K if a few dims are
 * much larger than the others: at 1e4 times, 1e-6 of R² is left. The second way orthonormalises the columns
 * twice, so λ is not lost. It needs more training rows than columns; otherwise S[test, test], by which it
 * divides, is nearly singular, and 1 minus the squares of Q has too few digits.
 */
import { negated } from '../../numeric/matrix.ts';
import { dotAt } from '../../numeric/row-product.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

export interface SourceOptions {
  lambda: number;
  /** Number of training rows of the split with the fewest. */
  trainingRows: number;
  /** Buffer [n · n] for the inverse. */
  into?: Float64Array | undefined;
}

/** Trace of K over λ above which the first way may leave fewer than nine digits of R². */
const TOO_LARGE = 1e8;

/** S [n, n], up to a factor, of a layer [n, dims] with centred columns. */
export async function sourceInverse(
  layer: Matrix,
  { lambda, trainingRows, into }: SourceOptions,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const { rows: n, cols: dims } = layer;
  const trace = dotAt(layer.data, layer.data, { x: 0, y: 0, count: layer.data.length });
  if (isByColumns({ n, dims, trace }, { lambda, trainingRows })) {
    const q = await orthonormalColumns(layer, lambda, algebra);
    return addToAll(identityLess(await algebra.gram(q, into)), -1 / n);
  }
  // The kernel is 0 along 1. A part of average size is added there, which makes it well conditioned; it is
  // known and subtracted from the inverse.
  const along = trace / n;
  const inverse = await algebra.invertKernel(layer, { lambda, constant: along / n, into });
  return addToAll(inverse, -1 / (n * (lambda + along)));
}

/**
 * Whether S is made by columns: where digits would be lost otherwise, or where few dims make it less work.
 *
 * @param of `trace` is Σ squares of the centred layer
 */
export function isByColumns(
  { n, dims, trace }: { n: number; dims: number; trace: number },
  { lambda, trainingRows }: Pick<SourceOptions, 'lambda' | 'trainingRows'>,
): boolean {
  return dims <= trainingRows && (4 * dims <= n || trace > TOO_LARGE * lambda);
}

/** Adds a value to all entries, in place. */
function addToAll(m: Matrix, value: number): Matrix {
  const { data } = m;
  for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + value;
  return m;
}

/** Q [n, dims] of a layer [n, dims] with centred columns. */
export async function orthonormalColumns(x: Matrix, lambda: number, algebra: LinearAlgebra): Promise<Matrix> {
  const once = await algebra.inverseFactor(await algebra.crossMultiply(x, x), lambda);
  const p = await algebra.multiplyTransposed(x, once);
  const square = await algebra.gram(once);
  const rest = await algebra.crossMultiply(p, p);
  for (let at = 0; at < rest.data.length; at++)
    rest.data[at] = (rest.data[at] as number) + lambda * (square.data[at] as number);
  return algebra.multiplyTransposed(p, await algebra.inverseFactor(rest, 0));
}

/** I − m [n, n], in place. */
function identityLess(m: Matrix): Matrix {
  const less = negated(m, m.data);
  for (let at = 0; at < less.data.length; at += m.cols + 1) less.data[at] = 1 + (less.data[at] as number);
  return less;
}
