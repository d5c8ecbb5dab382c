/**
 * Does the strict score say what is there? In planted worlds whose coupling is known: how often it claims coupling where there is none, how
 * often it finds it where there is, and how its excess compares with an oracle that is given the true latents on the same folds.
 */
import { createOrtAlgebra } from '../src/compute/ort-algebra.ts';
import { lagPairs } from '../src/synchrony/nulls.ts';
import { paperScore } from '../src/synchrony/paper.ts';
import { strictScore } from '../src/synchrony/strict.ts';
import type { LinearAlgebra, TurnPairs } from '../src/synchrony/types.ts';
import { plantedWorld, type WorldOptions } from './planted.ts';

export const title = 'Calibration of the strict score in planted worlds';

export interface CalibrationWorld {
  name: string;
  options: Omit<WorldOptions, 'seed'>;
  /** What holds: nothing to find, coupling, or a common cause that the features do not show. */
  truth: 'null' | 'coupled' | 'other lag' | 'hidden cause';
  beyond?: 'words';
  /** Scored at this lag. */
  lag?: number;
  runs: number;
}

const SIZE = { scenarios: 12, episodes: 4, turns: 6, dims: 24 };
const NULL_RUNS = 500;
const COUPLED_RUNS = 200;
const PAPER_RUNS = 12;

export const WORLDS: readonly CalibrationWorld[] = [
  { name: 'no relation', options: { ...SIZE, kind: 'none' }, truth: 'null', runs: NULL_RUNS },
  { name: 'shared text, seen', options: { ...SIZE, kind: 'text' }, truth: 'null', runs: NULL_RUNS },
  {
    name: 'shared text, unequal lengths (3 to 6)',
    options: { ...SIZE, kind: 'text', shortest: 3 },
    truth: 'null',
    runs: NULL_RUNS,
  },
  { name: 'shared drift', options: { ...SIZE, kind: 'drift' }, truth: 'null', runs: NULL_RUNS },
  {
    name: 'shared text, two episodes per scenario',
    options: { ...SIZE, kind: 'text', episodes: 2 },
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared text, both agents one model',
    options: { ...SIZE, kind: 'text', sameModel: true },
    truth: 'null',
    runs: NULL_RUNS,
  },
  { name: 'shared scenario', options: { ...SIZE, kind: 'scenario' }, truth: 'null', runs: NULL_RUNS },
  { name: 'shared episode', options: { ...SIZE, kind: 'episode' }, truth: 'null', runs: NULL_RUNS },
  {
    name: 'shared text, 4 layers',
    options: { ...SIZE, kind: 'text', layers: 4, scenarios: 8 },
    truth: 'null',
    runs: NULL_RUNS,
  },
  {
    name: 'shared text, half of it seen',
    options: { ...SIZE, kind: 'text', textSeen: 3 },
    truth: 'hidden cause',
    runs: 50,
  },
  { name: 'coupled, rho 0.6', options: { ...SIZE, kind: 'coupled' }, truth: 'coupled', runs: COUPLED_RUNS },
  {
    name: 'coupled, rho 0.3',
    options: { ...SIZE, kind: 'coupled', rho: 0.3 },
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled, rho 0.6, 5 scenarios x 2 episodes',
    options: { ...SIZE, kind: 'coupled', scenarios: 5, episodes: 2 },
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled at lag 3, scored at lag 1',
    options: { ...SIZE, kind: 'coupled', lag: 3 },
    truth: 'other lag',
    runs: COUPLED_RUNS,
  },
  {
    name: 'coupled at lag 3, scored at lag 3',
    options: { ...SIZE, kind: 'coupled', lag: 3, turns: 7 },
    truth: 'coupled',
    lag: 3,
    runs: COUPLED_RUNS,
  },
  {
    name: 'by the reply alone, beyond history',
    options: { ...SIZE, kind: 'reply-words' },
    truth: 'coupled',
    runs: COUPLED_RUNS,
  },
  {
    name: 'by the reply alone, beyond words',
    options: { ...SIZE, kind: 'reply-words' },
    truth: 'null',
    beyond: 'words',
    runs: NULL_RUNS,
  },
];

const NO_MINIMUMS = { samples: 10, episodes: 4, scenarios: 2 };
const PERMUTATIONS = 99;

interface Calibrated {
  found: number;
  paper: number;
  score: number;
  excess: number;
  oracle: number;
  holdsZero: number;
  runs: number;
}

/** All runs of one world. */
async function calibrate(world: CalibrationWorld, algebra: LinearAlgebra): Promise<Calibrated> {
  const sums = { found: 0, paper: 0, score: 0, excess: 0, oracle: 0, holdsZero: 0 };
  for (let seed = 0; seed < world.runs; seed++) {
    const { pairs, latents } = plantedWorld({ ...world.options, seed: 1000 + seed });
    const options = { seed, permutations: PERMUTATIONS, bootstraps: 400 };
    const score = await mustScore(lagged(pairs, world), { ...options, algebra, ...beyondOf(world) });
    sums.found += score.pValue <= 0.05 ? 1 : 0;
    sums.score += score.score;
    sums.excess += score.excess;
    sums.holdsZero += score.ci.low <= 0 && score.ci.high >= 0 ? 1 : 0;
    if (world.truth === 'coupled') {
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
    holdsZero: share(sums.holdsZero),
    runs: world.runs,
  };
}

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
    String(result.runs),
  ];
}

export const NOTES = [
  'Each world: 12 scenarios × 4 episodes × 6 turn pairs, 24 dims, unless its name says otherwise; 99 permutations a run.',
  'The bar: p ≤ 0.05 in at most 6.5 % of the runs of every null world.',
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
