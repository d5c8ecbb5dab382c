/**
 * SyncR² as the paper computes it: ridge regression from every layer of A at turn t to every layer of B at the
 * next turn; R² on held-out units, mean over splits; then the maximum over target layers, clipped at 0, and the
 * mean over source layers.
 * Range: up to 1; `unclipped` may be negative.
 * No score: too few rows or units, values that are not finite, a side that does not vary.
 * Constant dims of the target are left out and counted, as are target layers without any other.
 */
import { groupBy } from '../group-by.ts';
import { columnMeans, columnSquares, scaleColumns } from '../../numeric/columns.ts';
import { zeros } from '../../numeric/matrix.ts';
import {
  drawPaperSplit,
  fewestTrainingRows,
  splitByEpisodes,
  type PaperUnit,
  type Split,
  type SplitRows,
} from './paper-splits.ts';
import { isNarrow, narrowBasis } from './narrow-source.ts';
import { constantColumns, r2Map, type Source, type Target } from './r2-map.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import { isByColumns, sourceInverse, type SourceOptions } from './source-inverse.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore, PaperScore, TurnPairs } from '../types.ts';

export interface PaperOptions {
  algebra: LinearAlgebra;
  /** Ridge penalty; the paper's is 0.1. */
  lambda?: number;
  /** Number of splits to draw, or the test episodes of each. */
  splits?: number | number[][];
  seed: number;
  /** What is drawn as a whole, if splits are drawn; by default the paper's unit. */
  unit?: PaperUnit;
  /** Whether to compute the paper's null: B's training rows permuted within their episode. */
  shuffled?: boolean;
}

export const MINIMUM_ROWS = 4;
export const PAPER_LAMBDA = 0.1;

export async function paperScore(pairs: TurnPairs, options: PaperOptions): Promise<PaperScore | NoScore> {
  return withPaper(pairs, options, (draw) => draw(options));
}

/** The options of one score of given rows. */
export type PaperDraw = Pick<PaperOptions, 'seed' | 'unit' | 'shuffled'>;

/**
 * Computes several scores of the same rows, of units up to `unit`, which share whatever does not depend on the
 * splits; the inverse of every source layer is most of the work. They also share memory: each draw must be
 * awaited before the next one, and `use` must await the last.
 */
export async function withPaper<T>(
  pairs: TurnPairs,
  {
    algebra,
    lambda = PAPER_LAMBDA,
    splits = 3,
    unit,
  }: Pick<PaperOptions, 'algebra' | 'lambda' | 'splits' | 'unit'>,
  use: (draw: (of: PaperDraw) => Promise<PaperScore | NoScore>) => Promise<T>,
): Promise<T | NoScore> {
  if (pairs.n < MINIMUM_ROWS)
    return { reason: `only ${pairs.n} turn pairs, at least ${MINIMUM_ROWS} are needed` };
  const withMeans = (layer: Matrix): WithMeans => ({ layer, means: columnMeans(layer) });
  const [source, target] = [pairs.source.map(withMeans), pairs.target.map(withMeans)];
  // A mean is not finite if a value is not, so this needs no pass of its own.
  if (![...source, ...target].every(({ means }) => means.every(Number.isFinite)))
    return { reason: 'a hidden state holds NaN or infinity' };
  const dead = pairs.target.map((layer) => constantColumns(layer));
  const still = whyStill(pairs, dead);
  if (still !== undefined) return { reason: still };
  const trainingRows = fewestTrainingRows(pairs, splits, unit);
  const isOneNarrow = (one: WithMeans): boolean => isNarrowLayer(one, { pairs, lambda, trainingRows });
  const layers = source.map((one) => ({ ...one, narrow: isOneNarrow(one) }));
  return algebra.lend(bufferLengths(pairs, layers), async ([spare, ...buffers]) => {
    const sources: Source[] = [];
    for (const one of layers) {
      const into = one.narrow ? undefined : buffers.shift();
      const x = centred(one, spare as Float64Array);
      sources.push(await sourceOf(x, { narrow: one.narrow, lambda, trainingRows, into }, algebra));
    }
    const targets = target.map(({ layer, means }, index) => ({
      rows: layer,
      offset: means,
      dead: dead[index] as Set<number>,
      buffer: { ...layer, data: buffers[index] as Float64Array },
    }));
    return use((of) => scoreOf({ pairs, splits, sources, targets, algebra }, of));
  });
}

async function sourceOf(
  x: Matrix,
  options: SourceOptions & { narrow: boolean },
  algebra: LinearAlgebra,
): Promise<Source> {
  return options.narrow
    ? { type: 'narrow', basis: await narrowBasis(x, options.lambda, algebra) }
    : { type: 'inverse', inverse: await sourceInverse(x, options, algebra) };
}

/** Whether a source layer is used by its columns, without any matrix [n, n]. */
function isNarrowLayer(
  { layer, means }: WithMeans,
  of: { pairs: TurnPairs; lambda: number; trainingRows: number },
): boolean {
  const { n, source, target } = of.pairs;
  const rows = Int32Array.from({ length: n }, (_, row) => row);
  const trace = columnSquares(layer, means, rows).reduce((sum, square) => sum + square, 0);
  const targetDims = target.reduce((sum, { cols }) => sum + cols, 0);
  const sizes = { n, dims: layer.cols, targetDims, sources: source.length };
  return isByColumns({ n, dims: layer.cols, trace }, of) && isNarrow(sizes);
}

/** The side whose every dim is constant, or undefined. */
function whyStill({ source, target }: TurnPairs, dead: Set<number>[]): string | undefined {
  const dims = (layers: Matrix[]): number => layers.reduce((sum, { cols }) => sum + cols, 0);
  const still = (side: string, count: number): string =>
    `the ${side} does not vary: each of its ${count} dims holds one value in all rows`;
  if (countOf(dead) === dims(target)) return still('target', countOf(dead));
  const isStill = (layer: Matrix): boolean => constantColumns(layer).size === layer.cols;
  return source.every(isStill) ? still('source', dims(source)) : undefined;
}

const countOf = (sets: ReadonlySet<number>[]): number => sets.reduce((sum, { size }) => sum + size, 0);

/**
 * Buffer lengths for one centred source layer, the inverse of every source layer that needs one, and every scaled
 * target layer.
 */
function bufferLengths({ n, source, target }: TurnPairs, layers: readonly { narrow: boolean }[]): number[] {
  const widest = Math.max(0, ...source.map(({ cols }) => cols));
  const inverses = layers.filter(({ narrow }) => !narrow).map(() => n * n);
  return [n * widest, ...inverses, ...target.map(({ cols }) => n * cols)];
}

interface WithMeans {
  layer: Matrix;
  /** Means of its columns. */
  means: Float64Array;
}

/**
 * Subtracts the means; `buffer` may be the layer's own memory. The same regression, but a large offset does not cost
 * digits.
 */
export function centred({ layer, means }: WithMeans, buffer: Float64Array): Matrix {
  const into = { ...layer, data: buffer.subarray(0, layer.data.length) };
  const scaling = { offset: means, factor: new Float64Array(layer.cols).fill(1) };
  return scaleColumns(layer, scaling, { into });
}

interface Prepared {
  pairs: TurnPairs;
  splits: number | number[][];
  sources: Source[];
  targets: Target[];
  algebra: LinearAlgebra;
}

async function scoreOf(
  { pairs, splits: wanted, sources, targets, algebra }: Prepared,
  draw: PaperDraw,
): Promise<PaperScore | NoScore> {
  const splits = makeSplits(pairs, wanted, draw);
  if ('reason' in splits) return splits;
  const perSplit: Matrix[] = [];
  for (const [index, split] of splits.entries()) {
    const input = { sources, targets, split };
    const order = draw.shuffled === true ? shuffledTraining(pairs, split, draw.seed + index) : undefined;
    const whole = order === undefined ? input : { ...input, trainingOrder: order };
    perSplit.push(await r2Map(whole, algebra));
  }
  return {
    ...summarise(perSplit, { pairs, splits }),
    degenerateDims: countOf(targets.map(({ dead }) => dead)),
  };
}

const testEpisodes = ({ episode }: Pick<TurnPairs, 'episode'>, split: Split): number[] =>
  [...new Set(episode.filter((_, row) => split[row] === 1))].sort((a, b) => a - b);

/** The rows in `splits`, or splits that are drawn. */
export function makeSplits(
  pairs: SplitRows,
  wanted: number | number[][],
  { seed, unit }: PaperDraw,
): Split[] | NoScore {
  const splits =
    typeof wanted === 'number'
      ? Array.from({ length: wanted }, (_, index) => drawPaperSplit(pairs, { seed, index, unit }))
      : wanted.map((episodes) => splitByEpisodes(pairs.episode, episodes));
  const usable = splits.filter(
    (split) => split !== undefined && split.includes(0) && split.filter(Boolean).length > 1,
  );
  if (usable.length < splits.length || usable.length === 0) {
    return { reason: 'the episodes cannot be split into a training and a test part' };
  }
  return usable as Split[];
}

/** The training rows, permuted within each episode. */
function shuffledTraining(pairs: TurnPairs, split: Split, seed: number): Int32Array {
  const order = Int32Array.from(split, (_, row) => row).filter((row) => split[row] === 0);
  const places = groupBy(order.keys(), (place) => pairs.episode[order[place] as number]);
  const random = seededRandom(seed, 0x5f);
  const out = order.slice();
  for (const at of places.values()) {
    for (const [k, from] of shuffled(at, random).entries()) out[at[k] as number] = order[from] as number;
  }
  return out;
}

export function summarise(
  perSplit: Matrix[],
  { pairs, splits }: { pairs: SplitRows; splits: Split[] },
): Omit<PaperScore, 'degenerateDims'> {
  const { rows, cols } = perSplit[0] as Matrix;
  const map = zeros(rows, cols);
  for (const split of perSplit) {
    for (let at = 0; at < map.data.length; at++) {
      map.data[at] = (map.data[at] as number) + (split.data[at] as number) / perSplit.length;
    }
  }
  const layers = Array.from({ length: rows }, (_, i) => [...map.data.subarray(i * cols, (i + 1) * cols)]);
  // A target layer whose dims are all constant has no R² and cannot be the best.
  const best = layers.map((row) => Math.max(...row.filter((value) => !Number.isNaN(value))));
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    syncR2: mean(best.map((value) => Math.max(0, value))),
    unclipped: mean(best),
    map,
    bestTargetLayer: layers.map((row, i) => row.indexOf(best[i] as number)),
    perSplit,
    splits: splits.map((split) => testEpisodes(pairs, split)),
  };
}
