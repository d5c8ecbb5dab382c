/**
 * Ridge on the text's components under one penalty, and what it leaves of training rows whose scenario it never saw:
 *
 *   left out   e_S = (I − H_SS)⁻¹ r_S    for a scenario S, r the residuals of the whole fit and H = P + T (TᵀT + λI)⁻¹ Tᵀ, P that of the turns
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import { product, takeRows, transpose, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

/** A turn that one scenario alone has cannot be foretold without it: nothing is left of it either way, and this keeps it at nothing. */
const ALONE = 1e-6;

export interface TextRidge {
  penalty: number;
  /** (TᵀT + λI)⁻¹ [p, p]; 0 where there is no text. */
  inverse: Matrix;
  /** Per scenario of the training part. */
  leftOut: LeftOut[];
}

interface LeftOut {
  /** Places of its rows within the training part. */
  places: number[];
  /** (I − H_SS)⁻¹ */
  factor: Matrix;
}

export interface Scenario {
  /** Of its rows within the training part. */
  places: number[];
  /** [its rows, its rows] */
  byTurns: Matrix;
}

export interface RidgeInput {
  own: Matrix;
  gram: Matrix;
  scenarios: Scenario[];
  penalty: number;
}

export async function ridgeOf(
  { own, gram, scenarios, penalty }: RidgeInput,
  algebra: LinearAlgebra,
): Promise<TextRidge> {
  const inverse = penalty > 0 ? await algebra.invertRidge(gram, penalty) : zeros(gram.rows, gram.rows);
  const scaled = await algebra.multiply(own, inverse);
  const leftOut = scenarios.map(({ places, byTurns }) => {
    const byText = product(takeRows(scaled, places), transpose(takeRows(own, places)));
    return { places, factor: invertSymmetric(identityLess(byText, byTurns), ALONE) };
  });
  return { penalty, inverse, leftOut };
}

/** I − a − b */
function identityLess(a: Matrix, b: Matrix): Matrix {
  const less = (value: number, at: number): number =>
    (at % (a.cols + 1) === 0 ? 1 : 0) - value - (b.data[at] as number);
  return { ...a, data: a.data.map(less) };
}

/** Left-out residuals [train, k] from those of the whole fit: each scenario's factor times its rows. */
export async function byScenario(m: Matrix, { leftOut }: TextRidge, algebra: LinearAlgebra): Promise<Matrix> {
  const out = zeros(m.rows, m.cols);
  for (const { places, factor } of leftOut) {
    const block = await algebra.multiply(factor, takeRows(m, places));
    for (const [at, place] of places.entries()) out.data.set(rowOf(block, at), place * out.cols);
  }
  return out;
}

/** A row as a view. */
export const rowOf = (m: Matrix, row: number): Float64Array =>
  m.data.subarray(row * m.cols, (row + 1) * m.cols);
