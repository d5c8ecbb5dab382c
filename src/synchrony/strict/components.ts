/** Leading principal components of the standardised states of each layer, from which a strict score is computed. */
import { leadingComponents } from '../../numeric/principal-components.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { TurnPairs } from '../types.ts';
import type { Blocks } from './blocks.ts';
import { standardise } from './standardise.ts';

const MOST_COMPONENTS = 64;
const ROWS_PER_COMPONENT = 8;

export interface StrictComponents {
  /** For each layer [rows in use, k]; columns are orthogonal. */
  sources: Matrix[];
  targets: Matrix[];
  /** For each target layer [rows in use]: squares of a row beyond the components, counted as not explained. */
  leftover: Float64Array[];
  /** Target dimensions that do not vary. */
  degenerateDims: number;
  /** Labels of scenarios in which the states of one side are the same in all episodes, in every layer. */
  same: Set<number>;
}

export async function strictComponents(
  pairs: Pick<TurnPairs, 'source' | 'target'>,
  used: Blocks,
  algebra: LinearAlgebra,
): Promise<StrictComponents> {
  const count = Math.max(1, Math.min(MOST_COMPONENTS, Math.floor(used.rows.length / ROWS_PER_COMPONENT)));
  const out: StrictComponents = {
    sources: [],
    targets: [],
    leftover: [],
    degenerateDims: 0,
    same: new Set(),
  };
  const varies = { source: new Set<number>(), target: new Set<number>() };
  for (const side of ['source', 'target'] as const)
    for (const layer of pairs[side]) {
      const { states, degenerate } = standardise(layer, used);
      const gram = await algebra.gram(states);
      const scores = await leadingComponents(gram, count, algebra);
      for (const scenario of varying(gram, used)) varies[side].add(scenario);
      if (side === 'source') out.sources.push(scores);
      else {
        out.targets.push(scores);
        out.leftover.push(diagonalBeyond(gram, scores));
        out.degenerateDims += degenerate;
      }
    }
  for (const { scenario } of used.blocks)
    if (!varies.source.has(scenario) || !varies.target.has(scenario)) out.same.add(scenario);
  return out;
}

/** Share of a row's mean energy below which the states of a scenario are equal up to rounding. */
const EQUAL = 1e-12;

function varying(gram: Matrix, { blocks }: Blocks): number[] {
  const at = (row: number): number => gram.data[row * gram.cols + row] as number;
  let all = 0;
  for (let row = 0; row < gram.rows; row++) all += at(row);
  const held = blocks.filter(({ start, episodes, turns }) => {
    let own = 0;
    for (let row = start; row < start + episodes * turns; row++) own += at(row);
    return own > (EQUAL * all * episodes * turns) / gram.rows;
  });
  return held.map(({ scenario }) => scenario);
}

function diagonalBeyond(gram: Matrix, scores: Matrix): Float64Array {
  return Float64Array.from({ length: gram.rows }, (_, r) => {
    let held = 0;
    for (let c = 0; c < scores.cols; c++) held += (scores.data[r * scores.cols + c] as number) ** 2;
    return Math.max(0, (gram.data[r * gram.rows + r] as number) - held);
  });
}
