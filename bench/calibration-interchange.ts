/**
 * Does an interchange say what is there? In planted turns at which the speaker's state was replaced by that of another
 * episode: what follows from natural states beside what an oracle explains that knows the planted map, and how often
 * something is said to follow where a donor brings the listener something else, or nothing.
 */
import { createPlainAlgebra } from '../src/numeric/plain-algebra.ts';
import { interchange, type ExchangeRows } from '../src/synchrony/branches/interchange.ts';
import {
  plantedInterchange,
  type ExchangeWorld,
  type ExchangeWorldOptions,
} from '../test/fixtures/planted/planted-interchange.ts';
import { lowerBound } from './calibration.ts';

export const title = 'Calibration of interchange in planted worlds';

interface World {
  name: string;
  truth: 'null' | 'moved' | 'unheard';
  options: Omit<ExchangeWorldOptions, 'seed'>;
  runs: number;
}

const LITTLE = { scenarios: 6, donors: 3, recipients: 3, turns: 3, dims: 3 };
const SIZE = { scenarios: 10, donors: 3, recipients: 3, turns: 4, dims: 8 };
const ALPHA = 0.05;
const PERMUTATIONS = 99;
const NULL_RUNS = 2000;

const nothing = (name: string, options: Partial<ExchangeWorldOptions> = {}): World => ({
  name: `interchange: a donor brings something that its state does not hold${name}`,
  truth: 'null',
  options: { ...LITTLE, kind: 'donor', ...options },
  runs: NULL_RUNS,
});

const moved = (name: string, options: Partial<ExchangeWorldOptions> = {}): World => ({
  name: `interchange: moved by the state put in place${name}`,
  truth: 'moved',
  options: { ...SIZE, kind: 'moved', ...options },
  runs: 40,
});

export const WORLDS: readonly World[] = [
  nothing(''),
  nothing(', five donors', { donors: 5, recipients: 2 }),
  {
    ...nothing(''),
    name: 'interchange: unheard',
    truth: 'unheard',
    options: { ...LITTLE, kind: 'unheard' },
    runs: 100,
  },
  moved(', half as far as by itself'),
  moved(', a tenth as far', { effect: 0.1 }),
  moved(', as far as by itself', { effect: 1 }),
];

/** R² of the movements by the planted map and the best scale. */
function oracleOf({ rows, map }: ExchangeWorld): number {
  const { moved: by, target } = rows;
  const dims = by.cols;
  const [x, y] = [
    centredOf(rows, by.data, dims),
    centredOf(rows, target[0]?.data ?? new Float64Array(), dims),
  ];
  let [along, foretold, energy] = [0, 0, 0];
  for (let r = 0; r < rows.n; r++)
    for (let c = 0; c < dims; c++) {
      let value = 0;
      for (let d = 0; d < dims; d++) value += (x[r * dims + d] as number) * (map[d * dims + c] as number);
      const seen = y[r * dims + c] as number;
      along += value * seen;
      foretold += value * value;
      energy += seen * seen;
    }
  return along ** 2 / foretold / energy;
}

/** Without the means of the histories. */
function centredOf({ n, episode, turn }: ExchangeRows, data: Float64Array, dims: number): Float64Array {
  const sums = new Map<string, { count: number; sum: Float64Array }>();
  const at = (row: number): string => `${episode[row]} ${turn[row]}`;
  for (let row = 0; row < n; row++) {
    const known = sums.get(at(row)) ?? { count: 0, sum: new Float64Array(dims) };
    known.count += 1;
    for (let d = 0; d < dims; d++) known.sum[d] = (known.sum[d] as number) + (data[row * dims + d] as number);
    sums.set(at(row), known);
  }
  return data.map((value, i) => {
    const of = sums.get(at(Math.floor(i / dims)));
    return value - (of?.sum[i % dims] as number) / (of?.count ?? 1);
  });
}

export const HEADER = [
  'world',
  'truth',
  'influence',
  'follows',
  'oracle',
  'interval holds the oracle in',
  'p ≤ 0.05 in',
  'at least (99 %)',
  'runs',
];

export const NOTES = [
  'Null worlds: 6 scenarios × 3 donors × 3 other episodes × 3 turns, 3 dims; a donor brings the same vector, which has nothing to do with its state, to every episode in which it is put in place. The others: 10 × 3 × 3 × 4, 8 dims.',
  'The oracle knows the planted map and takes the best scale on the same rows. 99 permutations a run.',
  'Follows lies below the oracle by what it costs to fit map and scale on other scenarios, so its interval holds the oracle’s value less often than 95 %.',
  'The bar: a null world fails when the one-sided 99 % lower bound of its rate of p ≤ 0.05 is above 5 %.',
];

/** One world, whole: its row of the table. */
export async function calibratedRow({ name, truth, options, runs }: World): Promise<string[]> {
  const algebra = createPlainAlgebra();
  let [influence, follows, oracle, holds, found, scored] = [0, 0, 0, 0, 0, 0];
  for (let seed = 0; seed < runs; seed++) {
    const world = plantedInterchange({ ...options, seed: 9000 + seed });
    const minimums = { scenarios: 4, histories: 10 };
    const figures = await interchange(world.rows, { seed, algebra, permutations: PERMUTATIONS, minimums });
    if ('reason' in figures.acts) throw new Error(`no share in a planted world: ${figures.acts.reason}`);
    influence += figures.acts.value / runs;
    if ('reason' in figures.follows) continue;
    const { score, ci, pValue } = figures.follows;
    const known = truth === 'moved' ? oracleOf(world) : 0;
    scored += 1;
    follows += score;
    oracle += known;
    holds += ci.low <= known && known <= ci.high ? 1 : 0;
    found += pValue <= ALPHA ? 1 : 0;
  }
  const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;
  const low = lowerBound(found, runs);
  const none = scored === 0;
  return [
    name,
    truth,
    truth === 'unheard' ? String(influence) : influence.toFixed(3),
    none ? 'no value' : (follows / scored).toFixed(3),
    none ? '' : (oracle / scored).toFixed(3),
    none ? '' : percent(holds / scored),
    none ? 'no p' : percent(found / runs),
    none ? '' : `${percent(low)}${truth === 'null' && low > ALPHA ? ' failed' : ''}`,
    String(runs),
  ];
}
