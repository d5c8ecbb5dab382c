/**
 * Ridge fits of matched SyncR²: from a predictor's deviations within histories to B's, with whole scenarios as folds
 * (strict/effect.ts). A scenario is one block of rows; no mean of a null is subtracted.
 */
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { memoize } from '../memoize.ts';
import { meanOf, type Jackknifed } from '../stats/jackknife.ts';
import { foldsOf, type Block } from '../strict/blocks.ts';
import { addFold, emptyEffect, type LayerEffect } from '../strict/effect.ts';
import { sumsOf } from '../strict/scenario-sums.ts';
import type { Replicate } from '../types.ts';
import type { Histories } from './histories.ts';
import type { Movement } from './movements.ts';

/** As shares of the mean eigenvalue. There is little noise within a history, so the smallest penalty is small. */
const PENALTIES = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];

/** Data that all fits of one set of branches share. */
export interface Setup {
  used: Histories;
  /** One for each scenario. */
  blocks: Block[];
  folds: number[][];
  targets: Matrix[];
  /** Σ squares of each target layer and block, including what the components do not hold. */
  energy: Float64Array[];
  algebra: LinearAlgebra;
}

export function setUp(
  used: Histories,
  targets: readonly Movement[],
  { seed, algebra }: { seed: number; algebra: LinearAlgebra },
): Setup {
  const blocks = used.blocks.map(({ scenario, start, rows }) => ({
    scenario,
    start,
    episodes: rows,
    turns: 1,
  }));
  const folds = foldsOf({ rows: used.rows, blocks, episodes: used.count }, seed);
  const energy = targets.map((target) => target.energy);
  return { used, blocks, folds, targets: targets.map(({ components }) => components), energy, algebra };
}

/** One effect for each source layer, with the target layer chosen in each fold. */
export async function effectsOf(sources: readonly Matrix[], setup: Setup): Promise<LayerEffect[]> {
  const { blocks, folds, targets, energy, algebra } = setup;
  const effects = sources.map(() => emptyEffect(blocks.length));
  const sums = sumsOf({ used: { blocks }, nullMean: false, sources, targets }, algebra);
  const widths = targets.map(({ cols }) => cols);
  for (const held of folds.keys())
    await addFold(effects, { folds, held, sums, widths, energy, algebra, penalties: PENALTIES });
  return effects;
}

/** One effect for each source layer, from another predictor, of the target layers that A's state chose. */
export async function effectsBeside(
  predictors: readonly Matrix[],
  chosen: readonly LayerEffect[],
  { blocks, folds, targets, energy, algebra }: Setup,
): Promise<LayerEffect[]> {
  const out: LayerEffect[] = [];
  const sumsFor = memoize((key: string) => {
    const [layer, target] = key.split(' ').map(Number) as [number, number];
    const sources = [predictors[layer] as Matrix];
    const only = [targets[target] as Matrix];
    return sumsOf({ used: { blocks }, nullMean: false, sources, targets: only }, algebra);
  });
  for (const [layer, { chosen: targetOf }] of chosen.entries()) {
    const effect = emptyEffect(blocks.length);
    for (const [held, target] of targetOf.entries()) {
      // The words are one predictor for all layers, so their sums are computed once.
      const sums = sumsFor(`${predictors.indexOf(predictors[layer] as Matrix)} ${target}`);
      const only = { widths: [(targets[target] as Matrix).cols], energy: [energy[target] as Float64Array] };
      await addFold([effect], { folds, held, sums, ...only, algebra, penalties: PENALTIES });
    }
    out.push(effect);
  }
  return out;
}

/** `excess` is the score, since no mean of a null is subtracted. */
export interface Summary extends Jackknifed {
  perLayer: { layer: number; score: number; targetLayer: number }[];
  replicates: Replicate[];
}

export function summarise(effects: readonly LayerEffect[], { used }: Setup): Summary {
  const totals = effects.map(({ total }) => total.reduce((sum, value) => sum + value, 0));
  const perLayer = effects.map(({ explained, chosen }, layer) => ({
    layer,
    score: explained / (totals[layer] as number),
    targetLayer: mostFrequent(chosen),
  }));
  const without = (block: number): number[] =>
    effects.map(
      ({ without: rest, total }, layer) =>
        (rest[block] as number) / ((totals[layer] as number) - (total[block] as number)),
    );
  return {
    excess: meanOf(perLayer.map(({ score }) => score)),
    perLayer,
    replicates: used.blocks.map(({ scenario }, block) => ({ scenario, excess: meanOf(without(block)) })),
  };
}

/** The most frequent value; the smallest of several. */
function mostFrequent(values: readonly number[]): number {
  const count = (value: number): number => values.filter((other) => other === value).length;
  return [...new Set(values)].sort((a, b) => count(b) - count(a) || a - b)[0] ?? 0;
}
