/**
 * Does the strict score say what is there? In planted worlds whose coupling is known: how often it claims coupling where there is none, how
 * often it finds it where there is, and how its excess compares with an oracle that is given the true latents on the same folds.
 */
import { createOrtAlgebra } from '../src/numeric/ort/ort-algebra.ts';
import { lagPairs } from '../src/synchrony/syncr2/nulls.ts';
import { paperScore } from '../src/synchrony/syncr2/paper-mode.ts';
import { strictScore } from '../src/synchrony/strict/strict-score.ts';
import type { LinearAlgebra } from '../src/numeric/linear-algebra.ts';
import type { Interval, TurnPairs } from '../src/synchrony/types.ts';
import type { CalibrationWorld } from './calibration-worlds.ts';

export { WORLDS } from './calibration-worlds.ts';

export const title = 'Calibration of the strict score in planted worlds';

const PAPER_RUNS = 12;
const NO_MINIMUMS = { samples: 10, episodes: 4, scenarios: 2 };
const PERMUTATIONS = 99;

interface Calibrated {
  found: number;
  paper: number;
  score: number;
  excess: number;
  oracle: number;
  holdsZero: number;
  /** Share of the intervals that hold the mean excess over all runs: what the excess is at this size. */
  holdsMean: number;
  runs: number;
}

/** All runs of one world. */
async function calibrate(world: CalibrationWorld, algebra: LinearAlgebra): Promise<Calibrated> {
  const intervals: Interval[] = [];
  const sums = { found: 0, paper: 0, score: 0, excess: 0, oracle: 0 };
  for (let seed = 0; seed < world.runs; seed++) {
    const { pairs, latents } = world.plant(1000 + seed);
    const options = { seed, permutations: PERMUTATIONS, bootstraps: 400 };
    const score = await mustScore(lagged(pairs, world), {
      ...options,
      algebra,
      ...beyondOf(world),
    });
    sums.found += score.pValue <= 0.05 ? 1 : 0;
    sums.score += score.score;
    sums.excess += score.excess;
    intervals.push(score.ci);
    if (world.truth === 'coupled' && latents) {
      const known = lagged({ ...pairs, source: [latents] }, world);
      sums.oracle += (await mustScore(known, { ...options, algebra, ...beyondOf(world) })).excess;
    }
    if (seed < PAPER_RUNS) {
      const paper = await paperScore(lagged(pairs, world), { algebra, seed });
      sums.paper += 'reason' in paper ? 0 : paper.unclipped / Math.min(PAPER_RUNS, world.runs);
    }
  }
  const share = (sum: number): number => sum / world.runs;
  return {
    found: share(sums.found),
    paper: sums.paper,
    score: share(sums.score),
    excess: share(sums.excess),
    oracle: share(sums.oracle),
    holdsZero: share(holding(intervals, 0)),
    holdsMean: share(holding(intervals, share(sums.excess))),
    runs: world.runs,
  };
}

const holding = (intervals: Interval[], value: number): number =>
  intervals.filter(({ low, high }) => low <= value && value <= high).length;

const lagged = (pairs: TurnPairs, { lag }: CalibrationWorld): TurnPairs =>
  lag === undefined ? pairs : lagPairs(pairs, lag);

const beyondOf = ({ beyond }: CalibrationWorld) => (beyond === undefined ? {} : { beyond });

async function mustScore(pairs: TurnPairs, options: Parameters<typeof strictScore>[1]) {
  const score = await strictScore(pairs, { ...options, minimums: NO_MINIMUMS });
  if ('reason' in score) throw new Error(`no score in a planted world: ${score.reason}`);
  return score;
}

export const HEADER = [
  'world',
  'truth',
  'paper R²',
  'strict score',
  'excess',
  'oracle excess',
  'p ≤ 0.05 in',
  'interval holds 0 in',
  'interval holds the mean excess in',
  'runs',
];

function tableRow(world: CalibrationWorld, result: Calibrated): string[] {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  return [
    world.name,
    world.truth,
    result.paper.toFixed(2),
    result.score.toFixed(3),
    result.excess.toFixed(3),
    world.truth === 'coupled' ? result.oracle.toFixed(3) : '',
    percent(result.found),
    percent(result.holdsZero),
    percent(result.holdsMean),
    String(result.runs),
  ];
}

export const NOTES = [
  'Each world: 12 scenarios × 4 episodes × 6 turn pairs, 24 dims, unless its name says otherwise; 99 permutations a run.',
  'The bar: p ≤ 0.05 in at most 6.5 % of the runs of every null world.',
  'Text of rank 24 and more is all seen, has four times the variance that it has in the other worlds, and stands beside 120 or 250 rows. Up to 128 of its dimensions are taken out (decision 0071).',
  'Text of rank 24 beside 120 rows is at the edge of the bar (decision 0072).',
  'The mean excess is that over all runs of the world: what a study of this size is expected to find.',
  'The oracle is the same score with the true latents in place of A’s states, on the same folds.',
  'Coupling at lag 3 is not quite invisible at lag 1: with the episode’s mean out, a turn of A tells a little about its other turns.',
  'A hidden cause is text that both states carry and the features do not show. No score that sees only the features can tell it from coupling: what the features miss counts as coupling, and the rate shows it.',
];

/** One world, whole: its row of the table. */
export async function calibratedRow(world: CalibrationWorld): Promise<string[]> {
  const algebra = await createOrtAlgebra({ threads: 1 });
  const row = tableRow(world, await calibrate(world, algebra));
  await algebra.close();
  return row;
}
