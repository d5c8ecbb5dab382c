/** Leading principal components of the standardised states of each layer, from which a strict score is computed. */
import { leadingRowComponents } from '../../numeric/principal-components.ts';
import { rowSquares } from '../../numeric/row-product.ts';
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
      const energy = rowSquares(states);
      const scores = await leadingRowComponents(states, count, algebra);
      for (const scenario of varying(energy, used)) varies[side].add(scenario);
      if (side === 'source') out.sources.push(scores);
      else {
        out.targets.push(scores);
        out.leftover.push(energyBeyond(energy, scores));
        out.degenerateDims += degenerate;
      }
    }
  for (const { scenario } of used.blocks)
    if (!varies.source.has(scenario) || !varies.target.has(scenario)) out.same.add(scenario);
  return out;
}

/** Share of a row's mean energy below which the states of a scenario are equal up to rounding. */
const EQUAL = 1e-12;

/** @param energy squares of each row */
function varying(energy: Float64Array, { blocks }: Blocks): number[] {
  const all = energy.reduce((sum, value) => sum + value, 0);
  const held = blocks.filter(({ start, episodes, turns }) => {
    const own = energy.subarray(start, start + episodes * turns).reduce((sum, value) => sum + value, 0);
    return own > (EQUAL * all * episodes * turns) / energy.length;
  });
  return held.map(({ scenario }) => scenario);
}

function energyBeyond(energy: Float64Array, scores: Matrix): Float64Array {
  const held = rowSquares(scores);
  return energy.map((value, r) => Math.max(0, value - (held[r] as number)));
}
