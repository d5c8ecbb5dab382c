/**
 * What space a model's states take up, and how straight they go through it from turn to turn.
 * Formula: dimensions for a share s are the fewest k with Σ_{i ≤ k} σᵢ² ≥ s Σ σᵢ², of the singular values σ of the
 * states [states, dims] around their mean. Straightness is ‖x_n − x_1‖ / Σ ‖x_{i+1} − x_i‖ over the states of one
 * episode in order.
 * Range: 1 to min(states − 1, dims), so that only equal numbers of states compare; 0 to 1, where n states that know
 * nothing of each other give about 1 / (n − 1), and a straight line 1.
 * Reference: Hosseini, Fedorenko, 2023 (straightness of trajectories in language models).
 * No number: fewer than three states, states that are all alike, or a value that is not finite.
 */
import { symmetricEigen } from '../../numeric/eigen.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore } from '../types.ts';

const FEWEST_STATES = 3;

/**
 * @param states [states, dims]
 * @param shares of the variance, each above 0 and up to 1
 */
export function dimensionsFor(states: Matrix, shares: readonly number[]): number[] | NoScore {
  const fault = faultOf(states);
  if (fault) return fault;
  const { values } = symmetricEigen(scatter(centred(states)));
  const variances = [...values].map((value) => Math.max(0, value));
  const total = variances.reduce((sum, value) => sum + value, 0);
  if (!(total > 0)) return { reason: 'the states are all alike' };
  return shares.map((share) => {
    let [sum, count] = [0, 0];
    // What rounding lacks of a whole share adds no dimension.
    while (count < variances.length && sum < share * total * (1 - 1e-12)) sum += variances[count++] as number;
    return count;
  });
}

/** @param path [states, dims] in order */
export function straightness(path: Matrix): number | NoScore {
  const fault = faultOf(path);
  if (fault) return fault;
  let length = 0;
  for (let row = 1; row < path.rows; row++) length += distance(path, row - 1, row);
  if (!(length > 0)) return { reason: 'the states are all alike' };
  return distance(path, 0, path.rows - 1) / length;
}

function faultOf({ rows, data }: Matrix): NoScore | undefined {
  if (rows < FEWEST_STATES) return { reason: `it takes ${FEWEST_STATES} states, there are ${rows}` };
  return data.every(Number.isFinite) ? undefined : { reason: 'a value is not finite' };
}

function distance({ data, cols }: Matrix, from: number, to: number): number {
  let squares = 0;
  for (let d = 0; d < cols; d++)
    squares += ((data[from * cols + d] as number) - (data[to * cols + d] as number)) ** 2;
  return Math.sqrt(squares);
}

function centred({ rows, cols, data }: Matrix): Matrix {
  const means = new Float64Array(cols);
  for (const [at, value] of data.entries()) means[at % cols] = (means[at % cols] as number) + value / rows;
  return { rows, cols, data: data.map((value, at) => value - (means[at % cols] as number)) };
}

/** XᵀX or XXᵀ, whichever is smaller: both have the same eigenvalues above 0. */
function scatter({ rows, cols, data }: Matrix): Matrix {
  const [n, inner] = [Math.min(rows, cols), Math.max(rows, cols)];
  const [along, across] = rows <= cols ? [cols, 1] : [1, cols];
  const out = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = a; b < n; b++) {
      let sum = 0;
      for (let k = 0; k < inner; k++)
        sum += (data[a * along + k * across] as number) * (data[b * along + k * across] as number);
      out[a * n + b] = sum;
      out[b * n + a] = sum;
    }
  return { rows: n, cols: n, data: out };
}
