/**
 * How strict mode's R² spreads over pairs of layers and over turn pairs. For every source layer a and target layer b, a
 * ridge on a's components is fitted outside of each fold of scenarios, with one fixed penalty of 3 × their mean
 * eigenvalue:
 *
 *   map[a, b]   = Σ over folds of (2⟨β, C_f⟩ − ⟨β, G_f β⟩) / ‖W_b‖²
 *   nulls[a, b] = Σ over folds of −⟨M G_f M, Σ V_s⟩ / ‖W_b‖²       the exact mean of map[a, b] over all permutations
 *   parts[r]    = mean over a, b of (2⟨w_r, ŵ_r⟩ − ‖ŵ_r‖²) / ‖W_b‖²
 *
 * with the terms of effect.ts. The parts of all rows add up to the mean of the map. Nothing is chosen, so no cell is
 * better for having been picked.
 * Range: a cell up to 1; below 0 where the map predicts worse than the mean.
 * No result where the strict score has none.
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import { innerProduct, joinColumns, transpose, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { foldsOf, type Block, type Blocks } from './blocks.ts';
import { meanEigenvalue, PENALTY_FOR_LAYERS } from './choose-model.ts';
import type { StrictComponents } from './components.ts';
import {
  partsOf,
  rowsOfBlock,
  sumOf,
  sumsOf,
  type ScenarioSums,
  type Stack,
  type SumsOf,
} from './scenario-sums.ts';
import { energiesOf, type StrictOptions } from './strict-score.ts';

export interface LayerMap {
  /** R² on held-out scenarios [source layers, target layers]; layers are indices into the given arrays. */
  map: Matrix;
  /** Its mean over all permutations of episodes within their scenarios, of the same shape. */
  nulls: Matrix;
  /** Of each row in use: its number among the rows that came in, and its part of the mean of `map`. */
  parts: { row: number; part: number }[];
}

export interface MapInput {
  used: Blocks;
  components: StrictComponents;
}

/** The map of prepared rows. */
export async function mapOf(
  { used, components }: MapInput,
  { seed, algebra }: Pick<StrictOptions, 'seed' | 'algebra'>,
): Promise<LayerMap> {
  const { sources, targets } = components;
  const totals = energiesOf(components, used).map((own) => own.reduce((sum, value) => sum + value, 0));
  const sums = sumsOf({ used, ...components }, algebra);
  const out = { map: zeros(sources.length, targets.length), nulls: zeros(sources.length, targets.length) };
  const parts = new Float64Array(used.rows.length);
  for (const held of foldsOf(used, seed))
    for (const layer of sources.keys())
      await addLayer({ ...out, parts, totals }, { used, components, sums, held, layer, algebra });
  return { ...out, parts: Array.from(used.rows, (row, at) => ({ row, part: parts[at] as number })) };
}

interface Into {
  map: Matrix;
  nulls: Matrix;
  parts: Float64Array;
  /** Per target layer: ‖W‖². */
  totals: readonly number[];
}

interface LayerInput extends MapInput {
  sums: SumsOf;
  /** The blocks that are held out. */
  held: readonly number[];
  /** Of the source. */
  layer: number;
  algebra: LinearAlgebra;
}

async function addLayer(into: Into, input: LayerInput): Promise<void> {
  const { used, components, sums, held, layer, algebra } = input;
  const perTarget: ScenarioSums[] = [];
  for (const target of components.targets.keys()) perTarget.push(await sums.ofScenarios(layer, target));
  const fitted = [...used.blocks.keys()].filter((block) => !held.includes(block));
  const { grams } = perTarget[0] as ScenarioSums;
  const gram = sumOf(partsOf(grams, fitted));
  const its = sumOf(partsOf(grams, held));
  const inverse = invertSymmetric(gram, PENALTY_FOR_LAYERS * meanEigenvalue(gram));
  const spread = await algebra.multiply(inverse, await algebra.multiply(its, inverse));
  const cross = joinColumns(perTarget.map(({ crosses }) => transpose(sumOf(partsOf(crosses, fitted)))));
  const beta = await algebra.multiply(inverse, cross);
  for (const [target, { noises }] of perTarget.entries()) {
    const noise = sumOf(partsOf(noises as Stack, fitted));
    const at = layer * into.map.cols + target;
    into.nulls.data[at] =
      (into.nulls.data[at] as number) - innerProduct(spread, noise) / (into.totals[target] as number);
  }
  for (const block of held) await addRows(into, { ...input, block: used.blocks[block] as Block, beta });
}

/** Adds what a fit explains of each row of one held-out block. @param input `beta` [k, dims of all target layers] */
async function addRows(into: Into, input: LayerInput & { block: Block; beta: Matrix }): Promise<void> {
  const { components, layer, block, beta, algebra } = input;
  const { sources, targets } = components;
  const guess = await algebra.multiply(rowsOfBlock(sources[layer] as Matrix, block), beta);
  const share = 1 / (sources.length * targets.length);
  let left = 0;
  for (const [target, all] of targets.entries()) {
    const truth = rowsOfBlock(all, block);
    const total = into.totals[target] as number;
    for (let r = 0; r < truth.rows; r++) {
      let explained = 0;
      for (let c = 0; c < truth.cols; c++) {
        const value = guess.data[r * guess.cols + left + c] as number;
        explained += 2 * value * (truth.data[r * truth.cols + c] as number) - value * value;
      }
      const [cell, row] = [layer * into.map.cols + target, block.start + r];
      into.map.data[cell] = (into.map.data[cell] as number) + explained / total;
      into.parts[row] = (into.parts[row] as number) + (share * explained) / total;
    }
    left += truth.cols;
  }
}
