/** The layer × layer map, beside the published algorithm and beside one matrix product. */
import { availableParallelism } from 'node:os';
import { createOrtAlgebra, sessionOptions } from '../../src/numeric/ort/ort-algebra.ts';
import { openProduct } from '../../src/numeric/ort/ort-product.ts';
import { productTransposed } from '../../src/numeric/matrix.ts';
import { paperScore } from '../../src/synchrony/syncr2/paper-mode.ts';
import type { Matrix } from '../../src/numeric/linear-algebra.ts';
import type { TurnPairs } from '../../src/synchrony/types.ts';
import { compare, median, medianRatio } from '../model/measure.ts';
import { normalPairs } from '../normal-pairs.ts';
import { publishedPair } from './published-pair.ts';
import { openTorchPair, pythonWithTorch } from './torch-pair.ts';
import { bestMs, meanMs, ms, timeMs } from './wall-time.ts';

const N = 1000;
const LAYERS = 12;
const DIMS = 768;
const SPLITS = [0, 1, 2].map((k) => Array.from({ length: 40 }, (_, e) => 5 * e + k));
const ROUNDS = 5;
/** Layer pairs by the published algorithm in each round. */
const PUBLISHED_PAIRS = 6;
const PRODUCTS = 20;

export async function mapRows(): Promise<string[][]> {
  const pairs = normalPairs({ n: N, sourceLayers: LAYERS, targetLayers: LAYERS, dims: DIMS });
  const work = { map: mapWork(N, 200, SPLITS.length), product: 2 * N * N * DIMS };
  const python = await pythonWithTorch();
  const all = await timeRounds(pairs, { python, threads: availableParallelism() });
  const one = await timeRounds(pairs, { python, threads: 1 });
  const size = `n ${N}, ${LAYERS} × ${LAYERS} layers, ${DIMS} dims, 3 splits`;
  const [cores, thread] = [`${size}, all cores`, `${size}, one thread, as the analyzer scores`];
  return [
    publishedRow(cores, all, 'published'),
    publishedRow(thread, one, 'published'),
    ...(python ? [publishedRow(cores, all, 'torch'), publishedRow(thread, one, 'torch')] : []),
    rateRow(cores, work, all),
    rateRow(thread, work, one),
  ];
}

/** Milliseconds by round; for the published algorithm, extrapolated to all pairs of layers and splits. */
type Took = Record<'map' | 'product' | 'published' | 'torch', number[]>;

function publishedRow(size: string, took: Took, by: 'published' | 'torch'): string[] {
  const ratio = `${medianRatio(took[by], took.map).toFixed(1)} ×`;
  const name = `the map, against the published arithmetic${by === 'torch' ? ' in PyTorch' : ''}`;
  return [name, size, ms(median(took.map)), ms(median(took[by])), ratio, '≥ 30 ×'];
}

interface Machine {
  python: string | undefined;
  threads: number;
}

async function timeRounds(pairs: TurnPairs, { python, threads }: Machine): Promise<Took> {
  const algebra = await createOrtAlgebra({ threads });
  const inTorch = python === undefined ? undefined : openTorchPair(python, threads);
  const product = await openOneProduct(pairs.source[0] as Matrix, threads);
  const times = LAYERS * LAYERS * SPLITS.length;
  const took = await compare(ROUNDS, {
    map: () => timeMs(() => paperScore(pairs, { algebra, splits: SPLITS, seed: 1 })),
    product: product.ms,
    published: async () => times * (await meanMs(PUBLISHED_PAIRS, () => publishedPair(pairs, algebra))),
    torch: async () => times * ((await inTorch?.pairMs()) ?? NaN),
  });
  inTorch?.close();
  await product.close();
  await algebra.close();
  return took;
}

/** The peak speed of the backend: the fastest of many products, into memory that was written before. */
async function openOneProduct(a: Matrix, threads: number) {
  const product = await openProduct({
    graph: { elements: 'float64', transposed: 'b' },
    session: sessionOptions({ threads }),
    plain: productTransposed,
  });
  const into = new Float64Array(a.rows * a.rows);
  return { ms: () => bestMs(PRODUCTS, () => product.one(a, a, into)), close: () => product.release() };
}

function rateRow(size: string, work: { map: number; product: number }, took: Took): string[] {
  const map = took.map.map((one) => work.map / one / 1e6);
  const product = took.product.map((one) => work.product / one / 1e6);
  const rate = (values: number[]): string => `${median(values).toFixed(1)} GFLOP/s`;
  const share = `${(100 * medianRatio(map, product)).toFixed(0)} %`;
  return ['the map’s rate, against the product’s', size, rate(map), rate(product), share, '≥ 60 %'];
}

/** Number of multiplications and additions of the whole map. */
function mapWork(n: number, test: number, splits: number): number {
  const train = n - test;
  const inverse = n * n * DIMS + n ** 3;
  const weights = test ** 3 + 2 * train * test * test;
  const squares = train * train * test;
  // Sums over all pairs of training rows, each once, and over pairs of a training and a test row.
  const pairsOfRows = train * train + 2 * train * test;
  return (
    LAYERS * inverse +
    splits * LAYERS * (weights + squares + pairsOfRows * DIMS) +
    splits * LAYERS * LAYERS * pairsOfRows
  );
}
