/**
 * Calibrates the strict score on simulated worlds with a known truth: rate of false positives, power, and its excess
 * beside that of an oracle that knows the true latent variables, on the same folds.
 */
import { createOrtAlgebra } from '../src/numeric/ort/ort-algebra.ts';
import { lagPairs } from '../src/synchrony/syncr2/nulls.ts';
import { beyondText, strictScore, strictTest } from '../src/synchrony/strict/strict-score.ts';
import type { LinearAlgebra } from '../src/numeric/linear-algebra.ts';
import type { Interval, StrictEstimate, TurnPairs } from '../src/synchrony/types.ts';
import { WORLDS, type CalibrationWorld } from './calibration-worlds.ts';

export { WORLDS };

export const title = 'Calibration of strict mode in planted worlds';

const MINIMUMS = { samples: 10, episodes: 4, scenarios: 2 };
const PERMUTATIONS = 99;
const ALPHA = 0.05;

interface Calibrated {
  /** Number of runs with p ≤ 0.05; undefined without a p-value. */
  found: number | undefined;
  score: number;
  excess: number;
  oracle: number;
  above: number;
  holdsZero: number;
  /** Share of the intervals that contain the mean excess over all runs, the expected excess at this size. */
  holdsMean: number;
  runs: number;
}

type Scored = StrictEstimate & { pValue?: number };

/** Null worlds need many runs for their rate; intervals are computed only in the first ones. */
const INTERVALS = 100;

/** Runs one world as often as asked. */
async function calibrate(world: CalibrationWorld, algebra: LinearAlgebra): Promise<Calibrated> {
  const intervals: Interval[] = [];
  const sums = { found: 0, score: 0, excess: 0, oracle: 0 };
  const scored = Math.min(world.runs, INTERVALS);
  for (let seed = 0; seed < world.runs; seed++) {
    const { pairs, latents } = world.plant(1000 + seed);
    const of = { world, seed, algebra };
    if (seed >= scored) {
      sums.found += (await mustTest(pairs, of)) <= ALPHA ? 1 : 0;
      continue;
    }
    const score = await mustScore(lagged(pairs, world), of);
    sums.found += (score.pValue ?? 1) <= ALPHA ? 1 : 0;
    sums.score += score.score / scored;
    sums.excess += score.excess / scored;
    intervals.push(score.ci);
    if (world.truth !== 'coupled' || !latents) continue;
    const known = await mustScore(lagged({ ...pairs, source: [latents] }, world), of);
    sums.oracle += known.excess / scored;
  }
  const share = (holds: (interval: Interval) => boolean): number => intervals.filter(holds).length / scored;
  return {
    ...sums,
    found: world.beyond ? undefined : sums.found,
    above: share(({ low }) => low > 0),
    holdsZero: share(({ low, high }) => low <= 0 && high >= 0),
    holdsMean: share(({ low, high }) => low <= sums.excess && high >= sums.excess),
    runs: world.runs,
  };
}

const lagged = (pairs: TurnPairs, { lag }: CalibrationWorld): TurnPairs =>
  lag === undefined ? pairs : lagPairs(pairs, lag);

interface Run {
  world: CalibrationWorld;
  seed: number;
  algebra: LinearAlgebra;
}

async function mustScore(pairs: TurnPairs, { world: { beyond }, seed, algebra }: Run): Promise<Scored> {
  const options = { seed, algebra, permutations: PERMUTATIONS, minimums: MINIMUMS };
  const score = beyond ? await beyondText(pairs, { ...options, beyond }) : await strictScore(pairs, options);
  if ('reason' in score) throw new Error(`no score in a planted world: ${score.reason}`);
  return score;
}

async function mustTest(pairs: TurnPairs, { seed, algebra }: Run): Promise<number> {
  const test = await strictTest(pairs, { seed, algebra, permutations: PERMUTATIONS, minimums: MINIMUMS });
  if ('reason' in test) throw new Error(`no test in a planted world: ${test.reason}`);
  return test.pValue;
}

/** One-sided 99 % lower bound of a rate (Clopper and Pearson), by bisection on the binomial tail. */
export function lowerBound(found: number, runs: number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (atLeast(found, runs, middle) > 0.01) high = middle;
    else low = middle;
  }
  return found === 0 ? 0 : low;
}

/** P(X ≥ found) of a binomial. */
function atLeast(found: number, runs: number, rate: number): number {
  let [log, sum] = [runs * Math.log1p(-rate), 0];
  for (let k = 0; k < found; k++) {
    sum += Math.exp(log);
    log += Math.log((runs - k) / (k + 1)) + Math.log(rate) - Math.log1p(-rate);
  }
  return 1 - sum;
}

export const HEADER = [
  'world',
  'truth',
  'score',
  'excess',
  'oracle excess',
  'p ≤ 0.05 in',
  'at least (99 %)',
  'interval above 0 in',
  'holds 0 in',
  'holds the mean excess in',
  'runs',
];

function tableRow(world: CalibrationWorld, result: Calibrated): string[] {
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const { found, runs } = result;
  const bound = found === undefined ? Number.NaN : lowerBound(found, runs);
  const failed = world.truth === 'null' && bound > ALPHA ? ' failed' : '';
  return [
    world.name,
    world.truth,
    result.score.toFixed(3),
    result.excess.toFixed(3),
    world.truth === 'coupled' ? result.oracle.toFixed(3) : '',
    found === undefined ? 'no p' : percent(found / runs),
    found === undefined ? '' : `${percent(bound)}${failed}`,
    percent(result.above),
    percent(result.holdsZero),
    percent(result.holdsMean),
    String(runs),
  ];
}

export const NOTES = [
  'Null worlds: 6 scenarios × 3 episodes × 4 turn pairs, 6 dims; the others: 12 × 4 × 6, 24 dims, unless the name says otherwise; 99 permutations a run.',
  'Scores and intervals of null worlds are those of the first 100 runs, rates of p ≤ 0.05 those of all.',
  'The bar: a null world fails when the one-sided 99 % lower bound of its rate of p ≤ 0.05 is above 5 %.',
  'The mean excess is that over all runs of the world: what a study of this size is expected to find.',
  'The oracle is the same score with the true latents in place of A’s states, on the same folds.',
  'Coupled worlds have no text in the states unless they are scored beyond text. Shared text is a common input of single episodes: the score finds it like coupling, and says so (docs/method.md).',
  'Text of rank 24 and more is all seen, has four times the variance that it has in the other worlds, and stands beside 120 or 250 rows. Beyond text there is an interval and no p-value.',
  'Coupling at lag 3 is not quite invisible at lag 1: with the episode’s mean out, a turn of A tells a little about its other turns.',
  'Real talk of the shipped 850k model in which nobody hears anybody, 10 scenarios × 3 episodes a test (`monologue` 36, `shared-input` with one script a scenario 36, both directions): p ≤ 0.05 in 4 of 72 (5.6 %; at least 1.2 %), p ≤ 0.1 in 10, mean p 0.50; the interval holds 0 in 68.',
];

/** An excess should be within a quarter of what the oracle’s is. */
const ORACLE_BAR = 0.25;

/** The notes, with the ratio of excess and oracle in the rows of the table. */
export function notesOf(rows: ReadonlyMap<string, readonly string[]>): string[] {
  const at = { excess: HEADER.indexOf('excess'), oracle: HEADER.indexOf('oracle excess') };
  const ratios = WORLDS.flatMap(({ name, truth }) => {
    const row = rows.get(name);
    const ratio = Number(row?.[at.excess]) / Number(row?.[at.oracle]);
    return row && truth === 'coupled' ? [{ name, ratio }] : [];
  });
  if (ratios.length === 0) return NOTES;
  const shown = ratios.map(({ name, ratio }) => `${name}: ${ratio.toFixed(2)}`).join('; ');
  const outside = ratios.filter(({ ratio }) => Math.abs(ratio - 1) > ORACLE_BAR).map(({ name }) => name);
  const verdict = outside.length === 0 ? 'all within it' : `outside of it: ${outside.join('; ')}`;
  return [
    ...NOTES,
    `Excess over the oracle’s excess: ${shown}. The bar is ${1 - ORACLE_BAR} to ${1 + ORACLE_BAR}; ${verdict}.`,
  ];
}

/** Calibrates one world. @returns its row of the table */
export async function calibratedRow(world: CalibrationWorld): Promise<string[]> {
  const algebra = await createOrtAlgebra({ threads: 1 });
  const row = tableRow(world, await calibrate(world, algebra));
  await algebra.close();
  return row;
}
