/**
 * The cost of a score by size, and an estimate for the paper's size from a measured part.
 */
import { createOrtAlgebra } from '../src/numeric/ort/ort-algebra.ts';
import { paperScore } from '../src/synchrony/syncr2/paper-mode.ts';
import { strictScore } from '../src/synchrony/strict/strict-score.ts';
import type { LinearAlgebra } from '../src/numeric/linear-algebra.ts';
import { normalPairs } from './normal-pairs.ts';

export const title = 'Cost against size';

interface Size {
  n: number;
  layers: number;
  dims: number;
  dyads: number;
}

const BASE: Size = { n: 200, layers: 4, dims: 192, dyads: 1 };
const GROWN: Partial<Size>[] = [
  {},
  { n: 400 },
  { n: 800 },
  { layers: 8 },
  { layers: 16 },
  { dims: 768 },
  { dims: 3072 },
  { dyads: 4 },
  { dyads: 16 },
];
/** 32 layers × 4,096 dims × 6,500 turn pairs, three splits. */
const PAPER = { n: 6500, layers: 32, dims: 4096, splits: 3 };

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const algebra = await createOrtAlgebra();
  await scoresMs(BASE, algebra);
  const rows: { size: Size; paperMs: number; strictMs: number }[] = [];
  for (const grown of GROWN) {
    const size = { ...BASE, ...grown };
    rows.push({ size, ...(await scoresMs(size, algebra)) });
  }
  const [first] = rows as [(typeof rows)[number]];
  const table = [
    ['turn pairs × layers × dims × dyads', 'paper mode', 'doublings', 'strict mode', 'doublings'],
    ...rows.map(({ size, paperMs, strictMs }) => [
      [size.n, size.layers, size.dims, size.dyads].join(' × '),
      ms(paperMs),
      bar(paperMs / first.paperMs),
      ms(strictMs),
      bar(strictMs / first.strictMs),
    ]),
  ];
  const paper = await paperSize(algebra);
  await algebra.close();
  return { table, notes: [...NOTES, ...paper] };
}

const NOTES = [
  'A bar has a block for every doubling over the first row, to the nearest half. Strict scores: 99 exchanges, all layers. Dyads: one group each, one after the other.',
];

const ms = (value: number): string =>
  value < 1000 ? `${value.toFixed(0)} ms` : `${(value / 1000).toFixed(1)} s`;

function bar(ratio: number): string {
  const halves = Math.max(0, Math.round(2 * Math.log2(ratio)));
  return '█'.repeat(Math.floor(halves / 2)) + (halves % 2 === 1 ? '▌' : '');
}

async function scoresMs({ n, layers, dims, dyads }: Size, algebra: LinearAlgebra) {
  const pairs = normalPairs({ n, sourceLayers: layers, targetLayers: layers, dims });
  const times = async (work: () => Promise<unknown>): Promise<number> => {
    const started = performance.now();
    for (let dyad = 0; dyad < dyads; dyad++) await work();
    return performance.now() - started;
  };
  return {
    paperMs: await times(() => paperScore(pairs, { algebra, seed: 1 })),
    strictMs: await times(() => strictScore(pairs, { algebra, seed: 1, permutations: 99 })),
  };
}

/**
 * Runs with one and two layers on either side give the cost of a source layer and of a target layer; products of pairs
 * are counted.
 */
async function paperSize(algebra: LinearAlgebra): Promise<string[]> {
  const { n, layers, dims, splits } = PAPER;
  const time = async (sourceLayers: number, targetLayers: number): Promise<number> => {
    const pairs = normalPairs({ n, sourceLayers, targetLayers, dims });
    const started = performance.now();
    await paperScore(pairs, { algebra, splits, seed: 1 });
    return (performance.now() - started) / 1000;
  };
  const one = await time(1, 1);
  const source = (await time(2, 1)) - one;
  const target = (await time(1, 2)) - one;
  const products = (2 * layers * layers * splits * (n * n)) / 2;
  const pairsSeconds = products / (await skinnyRate(algebra));
  const total = one + (layers - 1) * (source + target) + pairsSeconds;
  const bytes = 8 * (layers * (3 * n * dims + n * n) + n * dims);
  return [
    `The paper’s size, ${layers} layers × ${dims} dims × ${n} turn pairs in ${splits} splits, by measurement of a part: one source and one target layer ${one.toFixed(0)} s, one more source layer ${source.toFixed(1)} s, one more target layer ${target.toFixed(1)} s, all pairs ${pairsSeconds.toFixed(0)} s: **${(total / 60).toFixed(0)} minutes** for one direction in paper mode.`,
    `Its memory, by calculation: states, scaled targets and one inverse for each source layer in float64, ${(bytes / 2 ** 30).toFixed(0)} GiB. Not measured whole on a CPU: this machine has less. On a GPU: see “The paper’s size on a GPU”.`,
  ];
}

/** Multiplications and additions a second of the products of all pairs of layers, tile by tile. */
async function skinnyRate(algebra: LinearAlgebra): Promise<number> {
  const tile = { rows: PAPER.layers, cols: 2 ** 16, data: new Float64Array(PAPER.layers * 2 ** 16).fill(1) };
  const started = performance.now();
  for (let k = 0; k < 10; k++) await algebra.multiplyTransposed(tile, tile);
  return (10 * 2 * tile.rows ** 2 * tile.cols) / ((performance.now() - started) / 1000);
}
