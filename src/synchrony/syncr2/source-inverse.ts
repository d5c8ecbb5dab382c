/**
 * S = (K + λI)⁻¹ of one source layer, K = X Xᵀ with column means out, less its part along 1, which is the free intercept. Two ways to the same
 * numbers, the second times λ, which makes no difference to what is predicted:
 *
 *   by rows:     the inverse [n, n] itself
 *   by columns:  λS = I − 1 1ᵀ/n − Q Qᵀ, where Q is the upper part of [X; √λ I] with its columns made orthonormal:
 *                W (Xᵀ X + λI) Wᵀ = I,  P = X Wᵀ;   V (Pᵀ P + λ W Wᵀ) Vᵀ = I,  Q = P Vᵀ
 *
 * With fewer columns than rows K is singular, and in the first way the digits of λ drown in K where a few dims are much larger than the others:
 * at 1e4 times there is 1e-6 of R² left. The second way has no λ to lose, for it makes them orthonormal twice. It wants more training rows than
 * columns: without them what it would be divided by, S[test, test], is nearly singular, and 1 less the squares of Q has not the digits for that.
 */
import { negated } from '../../numeric/matrix.ts';
import { dotAt } from '../../numeric/row-product.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

export interface SourceOptions {
  lambda: number;
  /** Training rows of the split that has the fewest. */
  trainingRows: number;
  /** [n · n] where the inverse may stand. */
  into?: Float64Array | undefined;
}

/** Trace of K over λ from which the first way may leave less than nine digits of R². */
const TOO_LARGE = 1e8;

/** S [n, n], or a multiple of it, of a layer [n, dims] whose column means are out. */
export async function sourceInverse(
  layer: Matrix,
  { lambda, trainingRows, into }: SourceOptions,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const { rows: n, cols: dims } = layer;
  const trace = dotAt(layer.data, layer.data, { x: 0, y: 0, count: layer.data.length });
  // Where dims are few it is less work besides.
  if (dims <= trainingRows && (4 * dims <= n || trace > TOO_LARGE * lambda)) {
    const q = await orthonormal(layer, lambda, algebra);
    return addToAll(identityLess(await algebra.gram(q, into)), -1 / n);
  }
  // The kernel is 0 along 1. Made as large there as elsewhere, it is well conditioned; what was added is known and taken out again.
  const along = trace / n;
  const inverse = await algebra.invertKernel(layer, { lambda, constant: along / n, into });
  return addToAll(inverse, -1 / (n * (lambda + along)));
}

/** In place. */
function addToAll(m: Matrix, value: number): Matrix {
  const { data } = m;
  for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + value;
  return m;
}

/** Q [n, dims]. */
async function orthonormal(x: Matrix, lambda: number, algebra: LinearAlgebra): Promise<Matrix> {
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
