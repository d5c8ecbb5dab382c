/**
 * Effect size of a strict score: how much of B's states a ridge on A's states explains in held-out scenarios, minus
 * what it would explain on average with the episodes of each scenario permuted.
 *
 *   β           = M Σ C_s,  M = (Σ G_s + λI)⁻¹      over the scenarios s outside of fold f
 *   explained_f = 2⟨β, C_f⟩ − ⟨β, G_f β⟩            over the rows of fold f
 *   null_f      = −⟨M G_f M, Σ V_s⟩                 the exact mean of explained_f over all permutations
 *   score       = Σ explained / Σ ‖W‖²              mean over source layers
 *   excess      = Σ (explained − null) / Σ ‖W‖²     mean over source layers
 *
 * The null has no cross-term, since the rows of a turn sum to 0 over the scenario's episodes.
 *
 * G = ZᵀZ, C = ZᵀW, V is `ScenarioSums.noises`; C and β stand transposed, so that all scenarios are one matrix.
 * The interval needs the excess without each scenario, both among the held-out and among the training rows. With M
 * kept, leaving scenario d out of β changes explained_f − null_f by
 *
 *   −2⟨C_d, M (C_f − G_f β)⟩ − ⟨C_d, M G_f M C_d⟩ − ⟨M G_f M, V_d⟩
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import { innerProduct, subtractFrom } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { meanEigenvalue, chooseModel, type Choice } from './choose-model.ts';
import { partsOf, sumOf, type ScenarioSums, type SumsOf } from './scenario-sums.ts';

/** Sums for one source layer; arrays have one value for each block. */
export interface LayerEffect {
  explained: number;
  null: number;
  total: Float64Array;
  /** Σ (explained − null) over all folds without each block. */
  without: Float64Array;
  /** The target layer chosen in each fold. */
  chosen: number[];
}

export interface FoldInput {
  /** The blocks of each fold. */
  folds: readonly number[][];
  /** The fold that is held out. */
  held: number;
  sums: SumsOf;
  /** Number of columns of each target layer. */
  widths: number[];
  /** ‖W‖² of each target layer and block, including what the components do not hold. */
  energy: readonly Float64Array[];
  algebra: LinearAlgebra;
  /** Ridge penalties to choose from, as shares of the mean eigenvalue. */
  penalties?: readonly number[];
}

export const emptyEffect = (blocks: number): LayerEffect => ({
  explained: 0,
  null: 0,
  total: new Float64Array(blocks),
  without: new Float64Array(blocks),
  chosen: [],
});

/** Adds one fold to the effect of every source layer. */
export async function addFold(effects: readonly LayerEffect[], input: FoldInput): Promise<void> {
  const { folds, held, sums, widths, algebra, penalties } = input;
  const training = await Promise.all(folds.filter((_, at) => at !== held).map((blocks) => sums.over(blocks)));
  for (const [layer, effect] of effects.entries()) {
    const own = training.map((fold) => fold[layer] as (typeof fold)[number]);
    const choice = await chooseModel(own, { widths, penalties }, algebra);
    const scenarios = await sums.ofScenarios(layer, choice.target);
    await addLayer(effect, { ...input, choice, scenarios });
  }
}

interface LayerInput extends FoldInput {
  choice: Choice;
  scenarios: ScenarioSums;
}

async function addLayer(effect: LayerEffect, input: LayerInput): Promise<void> {
  const { folds, held, choice, scenarios, algebra } = input;
  const { grams, crosses, noises } = scenarios;
  const test = folds[held] as number[];
  const train = [...grams.parts.keys()].filter((block) => !test.includes(block));
  const gram = sumOf(partsOf(grams, train));
  const inverse = invertSymmetric(gram, choice.penalty * meanEigenvalue(gram));
  const beta = await algebra.multiply(sumOf(partsOf(crosses, train)), inverse);
  const size = await algebra.crossMultiply(beta, beta);
  const noise = noises && sumOf(partsOf(noises, train));
  const cost = noise && (await algebra.multiply(inverse, await algebra.multiply(noise, inverse)));
  effect.chosen.push(choice.target);
  let excess = 0;
  const own = new Map<number, number>();
  for (const block of test) {
    const [its, cross] = [grams.parts[block] as Matrix, crosses.parts[block] as Matrix];
    const explained = 2 * innerProduct(beta, cross) - innerProduct(its, size);
    const expected = cost ? -innerProduct(its, cost) : 0;
    own.set(block, explained - expected);
    effect.explained += explained;
    effect.null += expected;
    effect.total[block] = (input.energy[choice.target] as Float64Array)[block] as number;
    excess += explained - expected;
  }
  const changes = await changesWithout({ test, scenarios, inverse, beta }, algebra);
  for (const block of grams.parts.keys())
    effect.without[block] =
      (effect.without[block] as number) + excess - (own.get(block) ?? changes[block] ?? 0);
}

interface Fit {
  test: readonly number[];
  scenarios: ScenarioSums;
  inverse: Matrix;
  /** βᵀ [l, k] */
  beta: Matrix;
}

/** For each block: by how much the held-out excess falls if the block is left out of β. */
async function changesWithout(
  { test, scenarios: { grams, crosses, noises }, inverse, beta }: Fit,
  algebra: LinearAlgebra,
): Promise<number[]> {
  const gram = sumOf(partsOf(grams, test));
  const missed = subtractFrom(sumOf(partsOf(crosses, test)), await algebra.multiply(beta, gram));
  const rest = await algebra.multiply(missed, inverse);
  const spread = await algebra.multiply(inverse, await algebra.multiply(gram, inverse));
  const spreads = await algebra.multiply(crosses.all, spread);
  const size = rest.data.length;
  return crosses.parts.map(
    (cross, block) =>
      changeBy(cross.data, rest.data, spreads.data.subarray(block * size, (block + 1) * size)) +
      (noises ? innerProduct(spread, noises.parts[block] as Matrix) : 0),
  );
}

/** ⟨cross, 2 rest + spread⟩ */
function changeBy(cross: Float64Array, rest: Float64Array, spread: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < cross.length; at++)
    sum += (cross[at] as number) * (2 * (rest[at] as number) + (spread[at] as number));
  return sum;
}
