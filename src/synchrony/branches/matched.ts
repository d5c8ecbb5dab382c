/**
 * Matched SyncR²: how much of the variation of B's state between the alternatives of a history A's own state predicts.
 * It shows that B moves in line with A's state. The only common cause is the words of an alternative, so the score is
 * reported beside the scores of the words alone, of a bystander's state, and of each of these together with A's state.
 *
 *   score = 1 − Σ ‖y − ŷ‖² / Σ ‖y‖²    over held-out scenarios, mean over source layers
 *
 * with y the deviation of B's state from the mean of its history, and ŷ its prediction by ridge from A's deviation.
 *
 * Scenarios, personas, histories and drift are equal by construction, since both sides are centred by history. Folds
 * consist of whole scenarios; target layer and penalty are chosen inside the training part (strict/effect.ts).
 * Range: up to 1, about 0 or a little below without a relation; never clipped.
 * No value: too few histories or scenarios, values that are not finite, a side without variance within histories.
 */
import { isFinite, joinColumns } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { differenceOf, jackknife, meanOf } from '../stats/jackknife.ts';
import type { LayerEffect } from '../strict/effect.ts';
import { FEWEST_PERMUTATIONS } from '../strict/permutations.ts';
import type { Interval, NoScore, Replicate } from '../types.ts';
import {
  BRANCH_MINIMUMS,
  orderHistories,
  tooFewHistories,
  type BranchMinimums,
  type Branches,
  type Histories,
} from './histories.ts';
import { effectsBeside, effectsOf, setUp, summarise, type Setup, type Summary } from './matched-fit.ts';
import { drawOrders, matchedTest, type MatchedTest } from './matched-test.ts';
import { featureMovement, stateMovement, type Movement } from './movements.ts';

/** Increased whenever the same rows and seed would give other figures. */
export const BRANCH_METHOD = { name: 'branches', version: 1 } as const;

export interface MatchedOptions {
  algebra: LinearAlgebra;
  seed: number;
  permutations?: number;
  minimums?: BranchMinimums;
}

export interface MatchedLayer {
  layer: number;
  score: number;
  /** The target layer that most folds chose. */
  targetLayer: number;
  pValue: number;
}

export interface MatchedScore {
  /** R² on held-out scenarios, mean over source layers. */
  score: number;
  /** 95 % interval, by the jackknife over scenarios. */
  ci: Interval;
  pValue: number;
  z: number;
  permutations: number;
  perLayer: MatchedLayer[];
  /** Score of the words' features on the same target layers; undefined if there are no features. */
  words: number | undefined;
  /** Score of the bystander's state of the same layer. */
  bystander: number | undefined;
  /** Score of A's state together with the bystander's, or with the words if there is no bystander. */
  both: number | undefined;
  /** What A's state adds: the score of both minus that of the bystander, or of the words. */
  adds: { value: number; ci: Interval; beyond: 'bystander' | 'words' } | undefined;
  /** The score without each scenario, from which intervals of differences are computed. */
  replicates: Replicate[];
}

export async function matchedScore(
  branches: Branches,
  options: MatchedOptions,
): Promise<MatchedScore | NoScore> {
  const prepared = await prepare(branches, options);
  if ('reason' in prepared) return prepared;
  const { sources, targetLayers, setup } = prepared;
  const effects = await effectsOf(sources, setup);
  const test = await testOf(prepared, options);
  const main = summarise(effects, setup);
  const ci = jackknife([main], meanOf);
  if ('reason' in ci) return ci;
  const { pValue, z, permutations } = test;
  return {
    score: main.excess,
    replicates: main.replicates,
    ci: { low: ci.low, high: ci.high },
    pValue,
    z,
    permutations,
    perLayer: main.perLayer.map((layer, at) => ({
      ...layer,
      targetLayer: targetLayers[layer.targetLayer] as number,
      pValue: test.perLayer[at] as number,
    })),
    ...(await besideIt(branches, { sources, effects, setup })),
  };
}

/** The p-value of the permutation test, without the score. */
export async function matchedPValue(
  branches: Branches,
  options: MatchedOptions,
): Promise<MatchedTest | NoScore> {
  const prepared = await prepare(branches, options);
  return 'reason' in prepared ? prepared : testOf(prepared, options);
}

interface Prepared {
  /** Components of each source layer. */
  sources: Matrix[];
  /** Indices of the target layers that vary within histories. */
  targetLayers: number[];
  setup: Setup;
}

async function prepare(branches: Branches, options: MatchedOptions): Promise<Prepared | NoScore> {
  const { algebra, minimums = BRANCH_MINIMUMS } = options;
  const used = orderHistories(branches);
  const reason = isNumeric(branches) ? tooFewHistories(used, minimums) : NOT_FINITE;
  if (reason !== undefined) return { reason };
  const targets = await movements(branches.target, used, algebra);
  const targetLayers = [...targets.keys()].filter((at) => hasMovement(targets[at] as Movement));
  if (targetLayers.length === 0) return { reason: NOT_MOVED };
  const moving = targetLayers.map((at) => targets[at] as Movement);
  const sources = await movements(branches.source, used, algebra);
  return {
    sources: sources.map(({ components }) => components),
    targetLayers,
    setup: setUp(used, moving, options),
  };
}

function testOf({ sources, setup }: Prepared, options: MatchedOptions): Promise<MatchedTest> {
  const { algebra, seed, permutations = FEWEST_PERMUTATIONS } = options;
  const { used, targets } = setup;
  const orders = drawOrders(used, permutations, seed);
  return matchedTest({ used, sources, targets, orders }, algebra);
}

const NOT_FINITE = 'a hidden state or text feature holds NaN or infinity';
const NOT_MOVED = 'the states of the listener do not move with the alternatives';

const isNumeric = ({ source, target, bystander, words }: Branches): boolean =>
  [...source, ...target, ...bystander, words].every(isFinite);

const hasMovement = ({ components }: Movement): boolean => components.cols > 0;

async function movements(
  layers: readonly Matrix[],
  used: Histories,
  algebra: LinearAlgebra,
): Promise<Movement[]> {
  const out: Movement[] = [];
  for (const layer of layers) out.push(await stateMovement(layer, used, algebra));
  return out;
}

interface Main {
  sources: readonly Matrix[];
  effects: readonly LayerEffect[];
  setup: Setup;
}

type Beside = Pick<MatchedScore, 'words' | 'bystander' | 'both' | 'adds'>;

async function besideIt(branches: Branches, { sources, effects, setup }: Main): Promise<Beside> {
  const { used, algebra } = setup;
  const features = branches.words.cols > 0 ? await featureMovement(branches.words, used, algebra) : undefined;
  const words = features && hasMovement(features) ? sources.map(() => features.components) : undefined;
  const seen = await movements(branches.bystander, used, algebra);
  const hasBystander = seen.length === sources.length && seen.every(hasMovement);
  const bystander = hasBystander ? seen.map(({ components }) => components) : undefined;
  const score = async (predictors: readonly Matrix[] | undefined): Promise<Summary | undefined> =>
    predictors && summarise(await effectsBeside(predictors, effects, setup), setup);
  const [byWords, byBystander] = [await score(words), await score(bystander)];
  const other = bystander ?? words;
  const both = await score(
    other?.map((m, layer) => joinColumns([sources[layer] as Matrix, m].map(ofUnitEnergy))),
  );
  const base = byBystander ?? byWords;
  const gain = both && base ? jackknife([both, base], differenceOf) : undefined;
  return {
    words: byWords?.excess,
    bystander: byBystander?.excess,
    both: both?.excess,
    adds:
      gain && !('reason' in gain)
        ? {
            value: gain.estimate,
            ci: { low: gain.low, high: gain.high },
            beyond: bystander ? 'bystander' : 'words',
          }
        : undefined,
  };
}

function ofUnitEnergy(m: Matrix): Matrix {
  const norm = Math.sqrt(m.data.reduce((sum, value) => sum + value * value, 0)) || 1;
  return { ...m, data: m.data.map((value) => value / norm) };
}
