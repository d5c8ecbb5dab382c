/**
 * How far each alternative moves the listener: the distance of its state behind one alternative from the mean of its
 * states behind all alternatives of the same history.
 *
 *   displacement(r) = √( mean over layers and dims of ((b_r − mean of its history) / s)² )
 *
 * with s the dim's standard deviation over all rows.
 * Range: from 0; exactly 0 where all alternatives of a history leave the same state. 1 is as far as the listener's
 * state varies over the whole study.
 * Reference: the squares are those that variance-components.ts sums within histories.
 * No value for a row whose history has one alternative only, and none at all where no dim varies.
 */
import { isFinite } from '../../numeric/matrix.ts';
import { centreWithin, orderHistories, type Branches } from './histories.ts';
import { inverseSpreads, type Scale } from './influence.ts';

export interface Displacement {
  /** Number of the row that came in. */
  row: number;
  value: number;
}

export function displacements(branches: Branches): Displacement[] {
  if (!branches.target.every(isFinite)) return [];
  const used = orderHistories(branches);
  const squares = new Float64Array(used.rows.length);
  let dims = 0;
  for (const m of branches.target) {
    const scale = inverseSpreads(m, used.rows);
    dims += scale.filter(({ factor }) => factor > 0).length;
    const within = centreWithin(m, used);
    for (const [at, value] of within.data.entries()) {
      const row = Math.floor(at / m.cols);
      squares[row] = (squares[row] as number) + (value * (scale[at % m.cols] as Scale).factor) ** 2;
    }
  }
  if (dims === 0) return [];
  return Array.from(used.rows, (row, at) => ({ row, value: Math.sqrt((squares[at] as number) / dims) }));
}
