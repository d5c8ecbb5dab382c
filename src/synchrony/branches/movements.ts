/**
 * Leading principal components of the deviations within histories, of states and of text features. Columns of states
 * are divided by their standard deviation within histories. Text features are not, so a rare n-gram weighs less than a
 * common one.
 *
 * K alternatives have K − 1 degrees of freedom, so the work is done on their orthonormal contrasts: three rows in the
 * place of four, with the same inner products of columns.
 */
import { dotAt } from '../../numeric/row-product.ts';
import { zeros } from '../../numeric/matrix.ts';
import { leadingRowComponents, type OtherBasis } from '../../numeric/principal-components.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { contrastsWithin, rowsOfContrasts, type Histories } from './histories.ts';

const MOST_COMPONENTS = 64;
const ROWS_PER_COMPONENT = 4;

export interface Movement {
  /** [rows in use, k]; columns are orthogonal, the largest first; no columns without variance within histories. */
  components: Matrix;
  /** For each block: Σ squares of its rows, with what the components do not hold, which counts as not explained. */
  energy: Float64Array;
}

/** Components of the deviations of states [n, dims]. */
export function stateMovement(m: Matrix, used: Histories, algebra: LinearAlgebra): Promise<Movement> {
  return movementOf(inSpreads(contrastsWithin(m, used), used.rows.length), used, algebra);
}

/** Components of the deviations of text features [n, any]. */
export function featureMovement(m: Matrix, used: Histories, algebra: LinearAlgebra): Promise<Movement> {
  return movementOf(contrastsWithin(m, used), used, algebra);
}

/** A standard deviation below this share of a column's largest value is rounding. */
const SMALLEST_SPREAD = 1e-9;

/** Divides columns by their root mean square over so many rows, in place. */
function inSpreads(m: Matrix, rows: number): Matrix {
  const { cols, data } = m;
  const squares = new Float64Array(cols);
  for (let at = 0; at < data.length;)
    for (let c = 0; c < cols; c++, at++) squares[c] = (squares[c] as number) + (data[at] as number) ** 2;
  const largest = squares.reduce((most, value) => Math.max(most, value), 0);
  const factors = squares.map((sum) => (sum > SMALLEST_SPREAD ** 2 * largest ? Math.sqrt(rows / sum) : 0));
  for (let at = 0; at < data.length;)
    for (let c = 0; c < cols; c++, at++) data[at] = (data[at] as number) * (factors[c] as number);
  return m;
}

/** @param m contrasts within histories */
async function movementOf(m: Matrix, used: Histories, algebra: LinearAlgebra): Promise<Movement> {
  const n = used.rows.length;
  const energy = energyOf(m, used);
  if (energy.every((value) => value === 0)) return { components: zeros(n, 0), energy };
  const count = Math.max(1, Math.min(MOST_COMPONENTS, Math.floor(n / ROWS_PER_COMPONENT)));
  const all = { ...used, rows: Int32Array.from({ length: n }, (_, row) => row) };
  const basis: OtherBasis = { rows: n, of: (columns) => contrastsWithin(columns, all) };
  const components = await leadingRowComponents({ ...m, basis }, count, algebra);
  return { components: rowsOfContrasts(components, used), energy };
}

/** Σ squares of the contrasts of each block. */
function energyOf({ cols, data }: Matrix, { blocks }: Histories): Float64Array {
  let at = 0;
  return Float64Array.from(blocks, ({ rows, histories }) => {
    const count = (rows - histories.length) * cols;
    at += count;
    return dotAt(data, data, { x: at - count, y: at - count, count });
  });
}
