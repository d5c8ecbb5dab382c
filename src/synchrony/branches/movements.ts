/**
 * Leading principal components of the deviations within histories, of states and of text features. Columns of states
 * are divided by their standard deviation within histories. Text features are not, so a rare n-gram weighs less than a
 * common one.
 */
import { rowSquares } from '../../numeric/row-product.ts';
import { zeros } from '../../numeric/matrix.ts';
import { leadingRowComponents } from '../../numeric/principal-components.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { centreWithin, type Histories } from './histories.ts';

const MOST_COMPONENTS = 64;
const ROWS_PER_COMPONENT = 4;

export interface Movement {
  /** [rows in use, k]; columns are orthogonal, the largest first; no columns without variance within histories. */
  components: Matrix;
  /** For each row: its squares beyond the components, counted as not explained. */
  leftover: Float64Array;
}

/** Components of the deviations of states [n, dims]. */
export function stateMovement(m: Matrix, used: Histories, algebra: LinearAlgebra): Promise<Movement> {
  return movementOf(inSpreads(centreWithin(m, used)), used, algebra);
}

/** Components of the deviations of text features [n, any]. */
export function featureMovement(m: Matrix, used: Histories, algebra: LinearAlgebra): Promise<Movement> {
  return movementOf(centreWithin(m, used), used, algebra);
}

/** A standard deviation below this share of a column's largest value is rounding. */
const SMALLEST_SPREAD = 1e-9;

/** Divides columns by their root mean square, in place. */
function inSpreads(m: Matrix): Matrix {
  const { rows, cols, data } = m;
  const squares = new Float64Array(cols);
  for (let at = 0; at < data.length;)
    for (let c = 0; c < cols; c++, at++) squares[c] = (squares[c] as number) + (data[at] as number) ** 2;
  const largest = squares.reduce((most, value) => Math.max(most, value), 0);
  const factors = squares.map((sum) => (sum > SMALLEST_SPREAD ** 2 * largest ? Math.sqrt(rows / sum) : 0));
  for (let at = 0; at < data.length;)
    for (let c = 0; c < cols; c++, at++) data[at] = (data[at] as number) * (factors[c] as number);
  return m;
}

async function movementOf(m: Matrix, used: Histories, algebra: LinearAlgebra): Promise<Movement> {
  const n = used.rows.length;
  const total = rowSquares(m);
  if (total.every((value) => value === 0)) return { components: zeros(n, 0), leftover: total };
  const count = Math.max(1, Math.min(MOST_COMPONENTS, Math.floor(n / ROWS_PER_COMPONENT)));
  const components = await leadingRowComponents(m, count, algebra);
  const leftover = total.map((value, r) => {
    let held = 0;
    for (let c = 0; c < components.cols; c++)
      held += (components.data[r * components.cols + c] as number) ** 2;
    return Math.max(0, value - held);
  });
  return { components, leftover };
}
