/** What the layer × layer map, one more turn, a strict score and a step window cost, beside the plain way of doing the same in the same run. */
import { availableParallelism } from 'node:os';
import {
  addTurn,
  createDyadSteps,
  fullStepScore,
  quickStepScore,
  type DyadSteps,
  type ScoreTools,
} from '../src/analyzer/steps/dyad-steps.ts';
import type { AlignedTurn } from '../src/analyzer/steps/step-book.ts';
import { parseStepMeasures, STEP_MEASURES } from '../src/analyzer/steps/step-measures.ts';
import { createOrtAlgebra, sessionOptions } from '../src/compute/ort-algebra.ts';
import { openProduct } from '../src/compute/ort-product.ts';
import { median, medianRatio } from './model/measure.ts';
import { normalPairs } from './normal-pairs.ts';
import { openTorchPair, pythonWithTorch } from './torch-pair.ts';
import { centreColumns } from '../src/synchrony/measures/measure.ts';
import { createLiveKernels } from '../src/synchrony/live-kernels.ts';
import { joinColumns, productTransposed, takeRows, zeros } from '../src/synchrony/matrix.ts';
import { paperScore } from '../src/synchrony/paper.ts';
import { seededRandom } from '../src/synchrony/random.ts';
import { strictScore } from '../src/synchrony/strict.ts';
import { freezeScales } from '../src/synchrony/strict-kernels.ts';
import type { LinearAlgebra, Matrix, TurnPairs } from '../src/synchrony/types.ts';

export const title = 'Synchrony: maps, live rows, strict scores, step windows';

const LAYERS = 12;
const DIMS = 768;
const SIZE = { sourceLayers: LAYERS, targetLayers: LAYERS, dims: DIMS };

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const algebra = await createOrtAlgebra();
  const table = [['what', 'size', 'takes', 'against', 'ratio', 'bar']];
  table.push(...(await mapRows()));
  table.push(...(await liveRows(algebra)));
  table.push(...(await stepRows(algebra)));
  await algebra.close();
  return { table, notes: NOTES };
}

const NOTES = [
  'The published arithmetic: per pair of layers the Gram matrix of the augmented source, a linear solve and R², in float64: over the same backend, whose inverse is faster than a solve with it, and as published in PyTorch where that is installed; pairs of one split are timed and multiplied. They, the map and the product are timed in turn, in five rounds: ratios are medians over rounds of the ratio within a round, times medians.',
  'The product rate is that of the fastest of 20 products of 1000 × 768 by 768 × 1000 into memory that was used before; the map’s rate counts the multiplications and additions that its algebra needs, each symmetric product once.',
  'Strict scores: 99 exchanges, all layers.',
];

async function timeMs(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** The fastest of a few. */
async function bestMs(times: number, work: () => Promise<unknown>): Promise<number> {
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < times; k++) best = Math.min(best, await timeMs(work));
  return best;
}

const ms = (value: number): string => (value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(0)} ms`);

const ROUNDS = 5;
/** Of every round. */
const PUBLISHED_PAIRS = 6;
const PRODUCTS = 20;

/** Milliseconds, of the published arithmetic for all pairs and splits. */
interface Round {
  map: number;
  published: number;
  torch: number;
  product: number;
}

async function mapRows(): Promise<string[][]> {
  const n = 1000;
  const pairs = normalPairs({ n, ...SIZE });
  const splits = [0, 1, 2].map((k) => Array.from({ length: 40 }, (_, e) => 5 * e + k));
  const work = { map: mapWork(n, 200, splits.length), product: 2 * n * n * DIMS };
  const python = await pythonWithTorch();
  const all = await timeRounds(pairs, splits, { python, threads: availableParallelism() });
  const one = await timeRounds(pairs, splits, { python, threads: 1 });
  const size = `n ${n}, ${LAYERS} × ${LAYERS} layers, ${DIMS} dims, 3 splits`;
  const [cores, thread] = [`${size}, all cores`, `${size}, one thread, as the analyzer scores`];
  return [
    publishedRow(cores, all, 'published'),
    publishedRow(thread, one, 'published'),
    ...(python ? [publishedRow(cores, all, 'torch'), publishedRow(thread, one, 'torch')] : []),
    rateRow(cores, work, all),
    rateRow(thread, work, one),
  ];
}

function publishedRow(size: string, rounds: Round[], by: 'published' | 'torch'): string[] {
  const [map, published] = [rounds.map((took) => took.map), rounds.map((took) => took[by])];
  const ratio = `${medianRatio(published, map).toFixed(1)} ×`;
  const name = `the map, against the published arithmetic${by === 'torch' ? ' in PyTorch' : ''}`;
  return [name, size, ms(median(map)), ms(median(published)), ratio, '≥ 30 ×'];
}

interface Machine {
  python: string | undefined;
  threads: number;
}

/** Whatever is compared is timed in turn; the first round, in memory not touched yet, is left out. */
async function timeRounds(
  pairs: TurnPairs,
  splits: number[][],
  { python, threads }: Machine,
): Promise<Round[]> {
  const algebra = await createOrtAlgebra({ threads });
  const inTorch = python === undefined ? undefined : openTorchPair(python, threads);
  const oneProduct = await openOneProduct(pairs.source[0] as Matrix, threads);
  const times = LAYERS * LAYERS * splits.length;
  const rounds: Round[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    const map = await timeMs(() => paperScore(pairs, { algebra, splits, seed: 1 }));
    const product = await oneProduct.ms();
    const pairMs = await meanMs(PUBLISHED_PAIRS, () => publishedPair(pairs, algebra));
    const torch = times * ((await inTorch?.pairMs()) ?? NaN);
    rounds.push({ map, published: pairMs * times, torch, product });
  }
  inTorch?.close();
  await oneProduct.close();
  await algebra.close();
  return rounds.slice(1);
}

async function meanMs(times: number, one: () => Promise<unknown>): Promise<number> {
  const whole = await timeMs(async () => {
    for (let k = 0; k < times; k++) await one();
  });
  return whole / times;
}

/** As fast as the backend goes: the fastest of many, into memory that was written before. */
async function openOneProduct(a: Matrix, threads: number) {
  const product = await openProduct({
    graph: { elements: 'float64', transposed: 'b' },
    session: sessionOptions({ threads }),
    plain: productTransposed,
  });
  const into = new Float64Array(a.rows * a.rows);
  return { ms: () => bestMs(PRODUCTS, () => product.one(a, a, into)), close: () => product.release() };
}

function rateRow(size: string, work: { map: number; product: number }, rounds: Round[]): string[] {
  const map = rounds.map((took) => work.map / took.map / 1e6);
  const product = rounds.map((took) => work.product / took.product / 1e6);
  const rate = (values: number[]): string => `${median(values).toFixed(1)} GFLOP/s`;
  const share = `${(100 * medianRatio(map, product)).toFixed(0)} %`;
  return ['the map’s rate, against the product’s', size, rate(map), rate(product), share, '≥ 60 %'];
}

/** Multiplications and additions of the whole map. */
function mapWork(n: number, test: number, splits: number): number {
  const train = n - test;
  const inverse = n * n * DIMS + n ** 3;
  const weights = test ** 3 + 2 * train * test * test;
  const squares = train * train * test;
  // what is summed over all pairs of training rows, each once, and over those of a training and a test row
  const pairsOfRows = train * train + 2 * train * test;
  return (
    LAYERS * inverse +
    splits * LAYERS * (weights + squares + pairsOfRows * DIMS) +
    splits * LAYERS * LAYERS * pairsOfRows
  );
}

/** Mean R² of one pair of layers in one split, as the paper's code works it out. */
async function publishedPair(pairs: TurnPairs, algebra: LinearAlgebra): Promise<number> {
  const test = Array.from({ length: 200 }, (_, k) => 5 * k);
  const train = Array.from({ length: pairs.n }, (_, row) => row).filter((row) => row % 5 !== 0);
  const ones = (rows: number): Matrix => ({ rows, cols: 1, data: new Float64Array(rows).fill(1) });
  const [source, target] = [pairs.source[0] as Matrix, pairs.target[0] as Matrix];
  const x = joinColumns([takeRows(source, train), ones(train.length)]);
  const gram = await algebra.crossMultiply(x, x);
  gram.data[gram.data.length - 1] = train.length - 0.1; // the intercept has no penalty
  const inverse = await algebra.invertRidge(gram, 0.1, 'in place');
  const beta = await algebra.multiply(inverse, await algebra.crossMultiply(x, takeRows(target, train)));
  const predicted = await algebra.multiply(joinColumns([takeRows(source, test), ones(test.length)]), beta);
  return meanR2(predicted, takeRows(target, test));
}

function meanR2(predicted: Matrix, truth: Matrix): number {
  const centred = centreColumns(truth);
  const errors = new Float64Array(truth.cols);
  const totals = new Float64Array(truth.cols);
  for (let at = 0; at < truth.data.length; at++) {
    const c = at % truth.cols;
    errors[c] = (errors[c] as number) + ((truth.data[at] as number) - (predicted.data[at] as number)) ** 2;
    totals[c] = (totals[c] as number) + (centred.data[at] as number) ** 2;
  }
  return errors.reduce((sum, error, c) => sum + 1 - error / (totals[c] as number), 0) / truth.cols;
}

async function liveRows(algebra: LinearAlgebra): Promise<string[][]> {
  const n = 1000;
  const pairs = normalPairs({ n: n + 20, ...SIZE });
  const live = createLiveKernels({ scales: freezeScales(pairs), maxRows: 2 * n });
  const at = (m: Matrix, row: number): Float64Array => m.data.subarray(row * m.cols, (row + 1) * m.cols);
  const add = (row: number): void =>
    live.add({
      episode: pairs.episode[row] as number,
      scenario: pairs.scenario[row] as number,
      pair: 0,
      turn: pairs.turn[row] as number,
      source: pairs.source.map((layer) => at(layer, row)),
      target: pairs.target.map((layer) => at(layer, row)),
      history: at(pairs.history, row),
      reply: at(pairs.reply, row),
    });
  for (let row = 0; row < n; row++) add(row);
  const started = performance.now();
  for (let row = n; row < n + 20; row++) add(row);
  const rowMs = (performance.now() - started) / 20;
  const whole = await timeMs(() =>
    strictScore(normalPairs({ n, ...SIZE }), { algebra, seed: 1, permutations: 99 }),
  );
  return [
    [
      'one more turn, against a full strict score',
      `n ${n}, ${LAYERS} layers, ${DIMS} dims`,
      ms(rowMs),
      ms(whole),
      `1 / ${(whole / rowMs).toFixed(0)}`,
      '≤ 1 / 100',
    ],
  ];
}

const STEPS = 128;

/** Aligned steps of one dyad, layer by layer, as an analyzer keeps them. */
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
    turn: turns++,
    speaker: '',
    listener: '',
    a: side(rows),
    b: side(rows),
  });
  const dyad = createDyadSteps({ group, episode: 'bench' });
  await addTurn(dyad, turn(STEPS), algebra);
  return { dyad, turn };
}

/** What a second of 32 dyads × 12 layers takes of one core, and what the measures of one dyad take beside their surrogates. */
async function stepRows(algebra: LinearAlgebra): Promise<string[][]> {
  const { dyad, turn } = await fullDyad(algebra);
  const tools: ScoreTools = {
    run: 'bench',
    measures: [],
    algebra,
    breathe: () => Promise.resolve(),
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
    rows.push([`${measure.label} of one dyad, beside 99 surrogates`, size, ms(takenMs), '', '', '']);
  }
  return rows;
}
