/**
 * S = (K + λI)⁻¹ of one source layer, K = X Xᵀ with column means out, less its part along 1, which is the free intercept. It is used up to a
 * factor. Two ways to the same numbers:
 *
 *   by rows:    the n × n inverse itself
 *   by columns: λS = I − 1 1ᵀ/n − X (Xᵀ X + λI)⁻¹ Xᵀ, of which only the blocks that are asked for are worked out
 *
 * With fewer columns than rows K is singular, and in the first way the digits of λ drown in K where a few dims are much larger than the
 * others: 1e4 times leave 1e-6 of R². Xᵀ X is not, whatever its dims are scaled by, so there the second is taken, as well as where it is less
 * work.
 */
import { copyOf, takeRows } from './matrix.ts';
import { dotAt } from './row-product.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

export interface SourceInverse {
  /** S at (rows × cols), times a factor that is the same for all of it; it may stand in `room`. */
  block(rows: Int32Array, cols: Int32Array, room?: Float64Array): Promise<Matrix>;
}

export interface SourceOptions {
  lambda: number;
  /** [n · n] */
  room?: Float64Array | undefined;
}

/** Trace of K over λ from which the first way leaves less than nine digits of R². */
const TOO_LARGE = 1e9;

/** Of a layer [n, dims] whose column means are out; it may be written over afterwards. */
export async function sourceInverse(
  layer: Matrix,
  { lambda, room }: SourceOptions,
  algebra: LinearAlgebra,
): Promise<SourceInverse> {
  const { rows: n, cols: dims } = layer;
  const trace = dotAt(layer.data, layer.data, { x: 0, y: 0, count: layer.data.length });
  const byColumns = 2 * dims <= n || (dims < n && trace > TOO_LARGE * lambda);
  if (byColumns) return inverseByColumns(layer, lambda, algebra);
  // The kernel is 0 along 1. Made as large there as elsewhere, it is well conditioned; what was added is known and taken out again.
  const along = trace / n;
  const inverse = await algebra.invertKernel(layer, { lambda, constant: along / n, into: room });
  return inverseByRows(inverse, -1 / (n * (lambda + along)));
}

/** S is `inverse` and `shift` in every entry. */
const inverseByRows = ({ data: from, cols: width }: Matrix, shift: number): SourceInverse => ({
  block: async (rows, cols, room) => {
    const to = room ?? new Float64Array(rows.length * cols.length);
    let at = 0;
    for (const row of rows) {
      const start = row * width;
      for (let c = 0; c < cols.length; c++, at++)
        to[at] = (from[start + (cols[c] as number)] as number) + shift;
    }
    return { rows: rows.length, cols: cols.length, data: to };
  },
});

async function inverseByColumns(
  layer: Matrix,
  lambda: number,
  algebra: LinearAlgebra,
): Promise<SourceInverse> {
  const x = copyOf(layer);
  const inverse = await algebra.invertRidge(await algebra.crossMultiply(x, x), lambda, 'in place');
  const left = await algebra.multiply(x, inverse);
  return {
    block: async (rows, cols) => {
      const fitted = await algebra.multiplyTransposed(takeRows(left, rows), takeRows(x, cols));
      return lessFitted(fitted, { rows, cols, n: x.rows });
    },
  };
}

interface Place {
  rows: Int32Array;
  cols: Int32Array;
  n: number;
}

/** I − 1 1ᵀ/n − fitted, in place. */
function lessFitted(fitted: Matrix, { rows, cols, n }: Place): Matrix {
  const { data } = fitted;
  let at = 0;
  for (const row of rows)
    for (let c = 0; c < cols.length; c++, at++)
      data[at] = (row === cols[c] ? 1 : 0) - 1 / n - (data[at] as number);
  return fitted;
}
