/**
 * Does patching say what is there? In planted turns whose versions have a moved state: the share that it makes beside
 * the planted one, and how often something is said to follow where the listener is moved by something else, or by
 * nothing.
 */
import { createPlainAlgebra } from '../src/numeric/plain-algebra.ts';
import { zeros } from '../src/numeric/matrix.ts';
import { matchedPValue } from '../src/synchrony/branches/matched.ts';
import { patching } from '../src/synchrony/branches/patching.ts';
import { plantedPatches, type PatchWorldOptions } from '../test/fixtures/planted/planted-patches.ts';
import { lowerBound } from './calibration.ts';

export const title = 'Calibration of patching in planted worlds';

interface World {
  name: string;
  truth: 'null' | 'moved' | 'unheard';
  options: Omit<PatchWorldOptions, 'seed'>;
  runs: number;
}

const NULL_RUNS = 2000;
const LITTLE = { scenarios: 6, episodes: 2, turns: 2, versions: 3, dims: 6 };
const SIZE = { scenarios: 10, episodes: 4, turns: 4, versions: 3, dims: 24 };
const ALPHA = 0.05;
const PERMUTATIONS = 99;
/** Of null worlds, whose rates want many runs, the figures are made in the first ones alone. */
const SCORED = 100;

const nothing = (name: string, options: Partial<PatchWorldOptions> = {}): World => ({
  name: `patching: the listener is moved by something else${name}`,
  truth: 'null',
  options: { ...LITTLE, kind: 'own', ...options },
  runs: NULL_RUNS,
});

const moved = (name: string, options: Partial<PatchWorldOptions> = {}): World => ({
  name: `patching: moved by the speaker's state${name}`,
  truth: 'moved',
  options: { ...SIZE, kind: 'moved', ...options },
  runs: 40,
});

export const WORLDS: readonly World[] = [
  nothing(''),
  nothing(', four times as far in a third of the turns', { uneven: true }),
  nothing(', 6 layers', { layers: 6, dims: 8 }),
  {
    ...nothing(''),
    name: 'patching: unheard, or no word has changed',
    truth: 'unheard',
    options: { ...LITTLE, kind: 'unheard' },
    runs: 200,
  },
  moved(', size 0.5', { size: 0.5 }),
  moved(', size 1'),
  moved(', size 2', { size: 2 }),
  moved(', size 1, a tenth of it along the coefficients', { held: 0.1 }),
  moved(', size 1, 20 turns', { scenarios: 10, episodes: 2, turns: 1 }),
];

interface Sums {
  influence: number;
  known: number;
  holdsKnown: number;
  follows: number;
  found: number;
  scored: number;
}

async function calibrate({ options, runs }: World): Promise<Sums> {
  const algebra = createPlainAlgebra();
  const sums: Sums = { influence: 0, known: 0, holdsKnown: 0, follows: 0, found: 0, scored: 0 };
  const full = Math.min(runs, SCORED);
  for (let seed = 0; seed < runs; seed++) {
    const { rows, influence } = plantedPatches({ ...options, seed: 7000 + seed });
    const shared = { seed, algebra, permutations: PERMUTATIONS, minimums: { scenarios: 2, histories: 5 } };
    if (seed >= full) {
      const { coefficients, ...rest } = rows;
      const branches = { ...rest, source: [coefficients], words: zeros(rows.n, 0), bystander: [] };
      const test = await matchedPValue(branches, shared);
      sums.found += !('reason' in test) && test.pValue <= ALPHA ? 1 : 0;
      continue;
    }
    const { acts, follows } = await patching(rows, shared);
    if ('reason' in acts) throw new Error(`no share in a planted world: ${acts.reason}`);
    sums.influence += acts.value / full;
    sums.known += influence / full;
    sums.holdsKnown += acts.ci.low <= influence && influence <= acts.ci.high ? 1 / full : 0;
    if ('reason' in follows) continue;
    sums.scored += 1;
    sums.follows += follows.score;
    sums.found += follows.pValue <= ALPHA ? 1 : 0;
  }
  return sums;
}

export const HEADER = [
  'world',
  'truth',
  'influence',
  'known influence',
  'interval holds it in',
  'follows',
  'p ≤ 0.05 in',
  'at least (99 %)',
  'runs',
];

export const NOTES = [
  'Null worlds: 6 scenarios × 2 episodes × 2 turns × 3 versions, 6 dims; the others: 10 × 4 × 4 × 3, 24 dims, unless the name says otherwise. Eight coefficients.',
  'Figures and intervals of null worlds are those of the first 100 runs, rates of p ≤ 0.05 those of all; 99 permutations a run.',
  'The bar: a null world fails when the one-sided 99 % lower bound of its rate of p ≤ 0.05 is above 5 %.',
  'Influence says how far the listener is moved within a turn, by whatever differs between the versions; that it is the moved state is the design of the experiment, and that its direction counts is what follows.',
];

/** One world, whole: its row of the table. */
export async function calibratedRow(world: World): Promise<string[]> {
  const { name, truth, runs } = world;
  const sums = await calibrate(world);
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const low = lowerBound(sums.found, runs);
  const none = sums.scored === 0;
  return [
    name,
    truth,
    truth === 'unheard' ? String(sums.influence) : sums.influence.toFixed(3),
    sums.known.toFixed(3),
    percent(sums.holdsKnown),
    none ? 'no value' : (sums.follows / sums.scored).toFixed(3),
    none ? 'no p' : percent(sums.found / runs),
    none ? '' : `${percent(low)}${truth === 'null' && low > ALPHA ? ' failed' : ''}`,
    String(runs),
  ];
}
