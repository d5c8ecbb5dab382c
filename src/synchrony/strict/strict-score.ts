/**
 * The strict score: do the states of A and B go together beyond scenario, turn and episode? The method is
 * described in docs/method.md.
 *
 *   turn pairs ─▶ balanced blocks ─▶ doubly centred, standardised ─▶ components ─┬─▶ permutation test ─▶ p
 *                                                                                └─▶ cross-validation ─▶ score,
 *                                                                                    excess, interval
 *
 * Range: up to 1, about 0 or a little below without a relation; never clipped.
 * Meaning: the two states share information that is specific to an episode. That does not show that A acts on B: a
 * common input that episodes of one scenario do not share has the same effect.
 * No score: too few samples, episodes or scenarios; values that are not finite; episodes of a scenario that are all the
 * same.
 */
import { groupBy } from '../group-by.ts';
import { isFinite } from '../../numeric/matrix.ts';
import type { LinearAlgebra } from '../../numeric/linear-algebra.ts';
import { jackknife, meanOf } from '../stats/jackknife.ts';
import type { NoScore, StrictEstimate, StrictScore, TurnPairs } from '../types.ts';
import { chooseBlocks, foldsOf, tooFew, type Blocks, type Minimums } from './blocks.ts';
import { strictComponents, type StrictComponents } from './components.ts';
import { addFold, emptyEffect, type LayerEffect } from './effect.ts';
import { evidenceOf, weighEvidence, type Evidence } from './permutation-test.ts';
import { drawPermutations, FEWEST_PERMUTATIONS, strataOf } from './permutations.ts';
import { sumsOf, type FoldData } from './scenario-sums.ts';
import { energyOf } from './standardise.ts';
import { isTall, tallTextResiduals } from './tall-text-residuals.ts';
import { textComponents } from './text-components.ts';
import { textResiduals } from './text-residuals.ts';

/**
 * Increased whenever the same rows and seed would give other figures. Version 1 took text out and corrected the
 * variance of its null.
 */
export const STRICT_METHOD = { name: 'strict', version: 2 } as const;

export interface StrictOptions {
  algebra: LinearAlgebra;
  seed: number;
  permutations?: number;
  minimums?: Minimums;
  /** Turn pairs that an episode needs; shorter episodes are left out. */
  shortest?: number | undefined;
}

const DEFAULT_MINIMUMS: Minimums = { samples: 120, episodes: 18, scenarios: 6 };

/** Score, interval and the p-value of the exact permutation test. */
export async function strictScore(pairs: TurnPairs, options: StrictOptions): Promise<StrictScore | NoScore> {
  const prepared = await prepare(pairs, options);
  if ('reason' in prepared) return prepared;
  const { pValue, z, permutations, ...evidence } = await testOf(prepared, options);
  const sums = sumsOf({ used: prepared.used, ...prepared.components }, options.algebra);
  const estimate = await estimateOf(prepared, options, () => Promise.resolve(sums));
  if ('reason' in estimate) return estimate;
  const perLayer = estimate.perLayer.map((layer, at) => ({
    ...layer,
    pValue: evidence.perLayer[at] as number,
  }));
  return { ...estimate, pValue, z, permutations, perLayer };
}

export interface StrictTest extends Evidence {
  permutations: number;
}

/** The p-value alone. */
export async function strictTest(pairs: TurnPairs, options: StrictOptions): Promise<StrictTest | NoScore> {
  const prepared = await prepare(pairs, options);
  return 'reason' in prepared ? prepared : testOf(prepared, options);
}

async function testOf({ used, components }: Prepared, options: StrictOptions): Promise<StrictTest> {
  const { algebra, seed, permutations = FEWEST_PERMUTATIONS } = options;
  const strata = strataOf(used);
  const drawn = { strata, permutations: drawPermutations(strata, permutations, seed) };
  return { ...weighEvidence(await evidenceOf(components, drawn, algebra)), permutations };
}

/**
 * The same score after text features are regressed out of both states: the features of A's prompt, or of B's prompt as
 * well. It has an interval and no p-value, since text that the features miss, or that is only partly removed, still
 * counts.
 */
export async function beyondText(
  pairs: TurnPairs,
  options: StrictOptions & {
    beyond: 'text' | 'words';
    /** What `prepare` gives for these rows, where it is there already. */
    prepared?: Prepared | NoScore;
  },
): Promise<StrictEstimate | NoScore> {
  const texts = options.beyond === 'words' ? [pairs.history, pairs.reply] : [pairs.history];
  if (texts.every(({ cols }) => cols === 0)) return { reason: 'there are no text features' };
  if (!texts.every(isFinite)) return { reason: 'a text feature holds NaN or infinity' };
  const prepared = options.prepared ?? (await prepare(pairs, options));
  if ('reason' in prepared) return prepared;
  const { used, components } = prepared;
  const { algebra } = options;
  const { sources, targets } = components;
  const text = await textComponents(texts, used, algebra);
  if (text.cols === 0) return { reason: 'the text features do not vary within scenario and turn' };
  const parts = [...sources, ...targets];
  const tall = isTall(used, text) ? await tallTextResiduals(parts, { used, text, algebra }) : undefined;
  return estimateOf(prepared, options, async (held) => {
    const rest = await (tall?.(held) ?? textResiduals(parts, { used, text, held, algebra }));
    const data: FoldData = {
      used,
      sources: rest.slice(0, sources.length),
      targets: rest.slice(sources.length),
    };
    return sumsOf(data, algebra);
  });
}

export interface Prepared {
  used: Blocks;
  components: StrictComponents;
  /** Number of rows of the input. */
  rows: number;
}

export async function prepare(pairs: TurnPairs, options: StrictOptions): Promise<Prepared | NoScore> {
  if (![...pairs.source, ...pairs.target].every(isFinite))
    return { reason: 'a hidden state holds NaN or infinity' };
  const { algebra, shortest, minimums = DEFAULT_MINIMUMS } = options;
  let used = chooseBlocks(pairs, { shortest });
  let reason = tooFew(used, minimums);
  if (reason !== undefined) return { reason };
  let components = await strictComponents(pairs, used, algebra);
  if (components.same.size > 0) {
    used = chooseBlocks(pairs, { shortest, without: components.same });
    if (used.blocks.length === 0) return { reason: SAME };
    reason = tooFew(used, minimums);
    if (reason !== undefined) return { reason: `${SAME} in ${components.same.size}: ${reason}` };
    components = await strictComponents(pairs, used, algebra);
  }
  return { used, components, rows: pairs.n };
}

const SAME = 'the episodes of a scenario are the same';

async function estimateOf(
  { used, components, rows }: Prepared,
  { seed, algebra }: StrictOptions,
  sumsFor: (held: readonly number[]) => Promise<ReturnType<typeof sumsOf>>,
): Promise<StrictEstimate | NoScore> {
  const folds = foldsOf(used, seed);
  const effects = components.sources.map(() => emptyEffect(used.blocks.length));
  const widths = components.targets.map(({ cols }) => cols);
  const energy = energiesOf(components, used);
  for (const [held, blocks] of folds.entries()) {
    const sums = await sumsFor(blocks);
    await addFold(effects, { folds, held, sums, widths, energy, algebra });
  }
  return summarise(effects, { used, components, rows });
}

/** Σ squares of the standardised rows of each target layer and block. */
export function energiesOf({ targets, leftover }: StrictComponents, { blocks }: Blocks): Float64Array[] {
  return targets.map((target, layer) =>
    Float64Array.from(blocks, (block) => {
      const { start, episodes, turns } = block;
      const beyond = (leftover[layer] as Float64Array).subarray(start, start + episodes * turns);
      return energyOf(target, block) + beyond.reduce((sum, value) => sum + value, 0);
    }),
  );
}

function summarise(effects: LayerEffect[], { used, components, rows }: Prepared): StrictEstimate | NoScore {
  const totals = effects.map(({ total }) => total.reduce((sum, value) => sum + value, 0));
  const perLayer = effects.map(({ explained, null: expected, chosen }, layer) => ({
    layer,
    score: explained / (totals[layer] as number),
    excess: (explained - expected) / (totals[layer] as number),
    targetLayer: mostFrequent(chosen),
  }));
  const score = meanOf(perLayer.map((layer) => layer.score));
  const excess = meanOf(perLayer.map((layer) => layer.excess));
  const replicates = used.blocks.map(({ scenario }, block) => ({
    scenario,
    excess: meanOf(
      effects.map(
        ({ without, total }, layer) =>
          (without[block] as number) / ((totals[layer] as number) - (total[block] as number)),
      ),
    ),
  }));
  const interval = jackknife([{ excess, replicates }], meanOf);
  if ('reason' in interval) return interval;
  return {
    score,
    excess,
    nullMean: score - excess,
    ci: { low: interval.low, high: interval.high },
    n: used.rows.length,
    episodes: used.episodes,
    scenarios: used.blocks.length,
    perLayer,
    degenerateDims: components.degenerateDims,
    droppedRows: rows - used.rows.length,
    replicates,
  };
}

function mostFrequent(values: number[]): number {
  const counts = groupBy(values, (value) => value);
  return [...counts].sort((a, b) => b[1].length - a[1].length || a[0] - b[0])[0]?.[0] ?? 0;
}
