/** The cost of a full strict score and of the figures of branches, beside the layer × layer map in the same process. */
import { createOrtAlgebra } from '../src/numeric/ort/ort-algebra.ts';
import { rowRange, zeros } from '../src/numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../src/numeric/linear-algebra.ts';
import type { Branches } from '../src/synchrony/branches/histories.ts';
import { influence } from '../src/synchrony/branches/influence.ts';
import { matchedPValue, matchedScore } from '../src/synchrony/branches/matched.ts';
import { sequentialTest } from '../src/synchrony/branches/sequential-test.ts';
import { isc } from '../src/synchrony/measures/isc.ts';
import type { Measure } from '../src/synchrony/measures/measure.ts';
import { xcorr } from '../src/synchrony/measures/xcorr.ts';
import { surrogateSizes } from '../src/synchrony/stats/surrogates.ts';
import { strictScore } from '../src/synchrony/strict/strict-score.ts';
import { paperScore } from '../src/synchrony/syncr2/paper-mode.ts';
import type { TurnPairs } from '../src/synchrony/types.ts';
import { compare, median, medianRatio } from './model/measure.ts';
import { normalPairs } from './normal-pairs.ts';
import { ms, timeMs } from './synchrony/wall-time.ts';

export const title = 'Scores: strict mode and branches, against the map';

const N = 1000;
const LAYERS = 12;
const DIMS = 768;
const ROUNDS = 3;
const PERMUTATIONS = 199;
const ALTERNATIVES = 4;
const ROWS_PER_SCENARIO = 24;
/** Of a dyad's window. */
const STEPS = 128;
const SHIFTS = 99;
const LAGGED = [isc, xcorr];

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const algebra = await createOrtAlgebra();
  const pairs = normalPairs({ n: N, sourceLayers: LAYERS, targetLayers: LAYERS, dims: DIMS });
  const took = await timeAll(pairs, algebra);
  await algebra.close();
  const size = `n ${N}, ${LAYERS} × ${LAYERS} layers, ${DIMS} dims`;
  const row = (what: string, of: keyof typeof took, bar: string): string[] => [
    what,
    size,
    ms(median(took[of])),
    ms(median(took.map)),
    `${medianRatio(took[of], took.map).toFixed(1)} ×`,
    bar,
  ];
  return {
    table: [
      ['what', 'size', 'takes', 'the map', 'ratio', 'bar'],
      row(`a full strict score with ${PERMUTATIONS} permutations`, 'strict', '≤ 3 ×'),
      row('matched SyncR² with its interval and test, the state alone', 'matched', '≤ 1 ×'),
      row('of that, the components and the test', 'test', ''),
      row('influence with 1,000 bootstrap samples', 'influence', ''),
      row('the sequential test, looked at after every history', 'sequential', ''),
      ...LAGGED.map(({ name }) => [
        `${name} of one dyad, beside ${SHIFTS} surrogates`,
        `${STEPS} steps, ${LAYERS} layers, ${DIMS} dims`,
        ms(median(took[name as 'isc' | 'xcorr'])),
        '',
        '',
        '≤ 1 s',
      ]),
    ],
    notes: NOTES,
  };
}

const NOTES = [
  'In turn, in three rounds: ratios are medians over rounds of the ratio within a round, times medians.',
  'Branches: 250 histories of 4 alternatives in 42 scenarios. The map is that of three splits.',
];

function timeAll(pairs: TurnPairs, algebra: LinearAlgebra) {
  const splits = [0, 1, 2].map((k) => Array.from({ length: 40 }, (_, e) => 5 * e + k));
  const branches = branchesOf(pairs);
  const options = { algebra, seed: 1, permutations: PERMUTATIONS };
  return compare(ROUNDS, {
    map: () => timeMs(() => paperScore(pairs, { algebra, splits, seed: 1 })),
    strict: () => timeMs(() => strictScore(pairs, options)),
    matched: () => timeMs(() => matchedScore(branches, options)),
    test: () => timeMs(() => matchedPValue(branches, options)),
    influence: () => timeMs(async () => influence(branches, { seed: 1 })),
    sequential: () => timeMs(() => sequentialTest(branches, options)),
    isc: () => timeMs(() => shifted(isc, pairs, algebra)),
    xcorr: () => timeMs(() => shifted(xcorr, pairs, algebra)),
  });
}

/** A measure of the first steps of every layer, and of its circular shifts. */
async function shifted(
  measure: Measure,
  { source, target }: TurnPairs,
  algebra: LinearAlgebra,
): Promise<void> {
  for (const [layer, m] of source.entries()) {
    const sides = { a: rowRange(m, 0, STEPS), b: rowRange(target[layer] as Matrix, 0, STEPS) };
    const input = { ...sides, measure, options: { algebra } };
    await surrogateSizes(input, { kind: 'shift', count: SHIFTS, seed: 1 });
  }
}

/** The same states, arranged as branches. */
function branchesOf({ n, source, target }: TurnPairs): Branches {
  const label = (of: (row: number) => number): Int32Array =>
    Int32Array.from({ length: n }, (_, row) => of(row));
  const none: Matrix[] = [];
  return {
    n,
    scenario: label((row) => Math.floor(row / ROWS_PER_SCENARIO)),
    episode: label((row) => Math.floor(row / ROWS_PER_SCENARIO)),
    turn: label((row) => Math.floor(row / ALTERNATIVES)),
    alternative: label((row) => row % ALTERNATIVES),
    source,
    target,
    words: zeros(n, 0),
    bystander: none,
  };
}
