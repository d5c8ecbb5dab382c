/**
 * The cost of the layer × layer map and of a step window, beside a straightforward implementation in the same process.
 */
import {
  addTurn,
  createDyadSteps,
  fullStepScore,
  quickStepScore,
  type DyadSteps,
  type ScoreTools,
} from '../src/analyzer/steps/dyad-steps.ts';
import type { AlignedTurn } from '../src/analyzer/steps/step-index.ts';
import { parseStepMeasures, STEP_MEASURES, type StepMeasure } from '../src/analyzer/steps/step-measures.ts';
import { createOrtAlgebra } from '../src/numeric/ort/ort-algebra.ts';
import { mapRows } from './synchrony/map-rows.ts';
import { bestMs, ms, timeMs } from './synchrony/wall-time.ts';
import { shiftRows, zeros } from '../src/numeric/matrix.ts';
import { seededRandom } from '../src/numeric/random.ts';
import type { LinearAlgebra } from '../src/numeric/linear-algebra.ts';

export const title = 'Synchrony: maps, step windows';

const LAYERS = 12;
const DIMS = 768;

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const algebra = await createOrtAlgebra();
  const table = [['what', 'size', 'takes', 'against', 'ratio', 'bar']];
  table.push(...(await mapRows()));
  table.push(...(await stepRows(algebra)));
  await algebra.close();
  return { table, notes: NOTES };
}

const NOTES = [
  'The published arithmetic: per pair of layers the Gram matrix of the augmented source, a linear solve and R², in float64: over the same backend, whose inverse is faster than a solve with it, and as published in PyTorch where that is installed; pairs of one split are timed and multiplied. They, the map and the product are timed in turn, in five rounds: ratios are medians over rounds of the ratio within a round, times medians.',
  'The product rate is that of the fastest of 20 products of 1000 × 768 by 768 × 1000 into memory that was used before; the map’s rate counts the multiplications and additions that its algebra needs, each symmetric product once.',
];

const STEPS = 128;

/** Aligned steps of one dyad, by layer, as an analyzer keeps them. */
async function fullDyad(
  algebra: LinearAlgebra,
): Promise<{ dyad: DyadSteps; turn(rows: number): AlignedTurn }> {
  const random = seededRandom(3);
  const group = { key: 'bench' } as AlignedTurn['group'];
  let turns = 0;
  const side = (rows: number): AlignedTurn['a'] =>
    new Map(
      Array.from({ length: LAYERS }, (_, layer) => {
        const m = zeros(rows, DIMS);
        for (let at = 0; at < m.data.length; at++) m.data[at] = random.normal();
        return [layer + 1, m];
      }),
    );
  const turn = (rows: number): AlignedTurn => ({
    group,
    episode: 'bench',
    scenario: 'bench',
    turn: turns++,
    speaker: '',
    listener: '',
    a: side(rows),
    b: side(rows),
  });
  const dyad = createDyadSteps({ group, episode: 'bench', scenario: 'bench' });
  await addTurn(dyad, turn(STEPS), algebra);
  return { dyad, turn };
}

/**
 * The share of one core that a second of 32 dyads × 12 layers takes, and the time of one dyad's measures beside that of
 * their surrogates.
 */
async function stepRows(algebra: LinearAlgebra): Promise<string[][]> {
  const { dyad, turn } = await fullDyad(algebra);
  const tools: ScoreTools = {
    run: 'bench',
    measures: [],
    algebra,
    handleMessages: () => Promise.resolve(),
    nowMs: () => performance.now(),
  };
  quickStepScore(dyad, tools);
  const quickMs = await bestMs(5, async () => quickStepScore(dyad, tools));
  const spoken = [turn(25), turn(25), turn(25)];
  const turnMs =
    (await timeMs(async () => {
      for (const one of spoken) await addTurn(dyad, one, algebra);
    })) / spoken.length;
  const size = `${STEPS} steps, ${LAYERS} layers, ${DIMS} dims`;
  const rows = [
    [
      'CKA of 32 dyads × 12 layers, refreshed every second',
      `${size}; a turn of 25 steps goes in within ${ms(turnMs)}`,
      ms(32 * quickMs),
      '1000 ms of one core',
      `${(3.2 * quickMs).toFixed(0)} %`,
      '≤ 25 %',
    ],
  ];
  for (const measure of parseStepMeasures(STEP_MEASURES)) {
    const takenMs = await timeMs(() => fullStepScore(dyad, { ...tools, measures: [measure] }));
    const singlyMs = await singlyTakenMs(dyad, measure, algebra);
    rows.push([
      `${measure.label} of one dyad, beside 99 surrogates`,
      size,
      ms(takenMs),
      `${ms(singlyMs)} shift by shift`,
      `1 / ${(singlyMs / takenMs).toFixed(1)}`,
      BARS[measure.label] ?? '',
    ]);
  }
  return rows;
}

const BARS: Record<string, string> = { isc: '≤ 1 s', xcorr: '≤ 1 s' };
/** Number of the 100 figures that are measured one by one. */
const SINGLY = 4;

/** Time of the figure and 99 surrogates measured one by one, extrapolated from a few. */
async function singlyTakenMs(
  dyad: DyadSteps,
  { measure, options }: StepMeasure,
  algebra: LinearAlgebra,
): Promise<number> {
  const takenMs = await timeMs(async () => {
    for (const window of dyad.windows.values()) {
      const { a, b } = window.rows();
      for (let draw = 0; draw < SINGLY; draw++)
        await measure.compute(a, shiftRows(b, 20 + 20 * draw), { ...options, algebra });
    }
  });
  return (100 / SINGLY) * takenMs;
}
