/**
 * Paper mode for states that do not fit into memory: layers are read one at a time, and the map is computed in blocks.
 *
 *   for each block of source layers:    read X, invert once, keep the weights C [train, test] of every split
 *     for each block of target layers:  read Y, scale, R² of all pairs of the two blocks (r2-map.ts)
 *
 * Memory: one inverse [n, n], the weights of a block of sources, a block of targets. The figures are those of
 * paper-mode.ts; only the order of the work differs.
 */
import { columnMeans } from '../../numeric/columns.ts';
import { zeros } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore, PaperScore } from '../types.ts';
import {
  centred,
  makeSplits,
  MINIMUM_ROWS,
  PAPER_LAMBDA,
  summarise,
  type PaperOptions,
} from './paper-mode.ts';
import { fewestTrainingRows, type Split, type SplitRows } from './paper-splits.ts';
import { constantColumns, explainedShare, scaledTarget, sidesOf, weightsOf } from './r2-map.ts';
import type { Sides } from './narrow-source.ts';
import { sourceInverse } from './source-inverse.ts';

/** The layers of one side, read when they are needed: [n, dims] each. */
export interface LayerSource {
  layers: number;
  dims: number;
  read(layer: number): Promise<Matrix>;
}

export interface StreamedInput {
  rows: SplitRows;
  source: LayerSource;
  target: LayerSource;
}

export interface StreamedOptions extends Omit<PaperOptions, 'shuffled'> {
  /** About how much memory the weights and the targets may take. */
  budgetBytes: number;
  /** Called before each layer is read, with what is done. */
  say?(what: string): void;
}

interface Work extends StreamedInput {
  options: StreamedOptions;
  splits: Split[];
  sides: Sides[];
  /** Per target layer, once it was read. */
  dead: Map<number, Set<number>>;
  /** Source layers that do not vary. */
  still: Set<number>;
}

export async function streamedPaperScore(
  input: StreamedInput,
  options: StreamedOptions,
): Promise<PaperScore | NoScore> {
  const { rows, source, target } = input;
  if (rows.n < MINIMUM_ROWS)
    return { reason: `only ${rows.n} turn pairs, at least ${MINIMUM_ROWS} are needed` };
  const splits = makeSplits(rows, options.splits ?? 3, options);
  if ('reason' in splits) return splits;
  const sides = splits.map(sidesOf);
  const work: Work = { ...input, options, splits, sides, dead: new Map(), still: new Set() };
  const maps = splits.map(() => zeros(source.layers, target.layers));
  const size = blockSizes(work);
  for (const block of blocksOf(source.layers, size.sources)) {
    const weights = await weightsOfBlock(work, block);
    if ('reason' in weights) return weights;
    for (const other of blocksOf(target.layers, size.targets)) {
      const reason = await fillMaps(maps, { ...work, block, other, weights });
      if (reason !== undefined) return { reason };
    }
  }
  const degenerateDims = [...work.dead.values()].reduce((sum, { size: count }) => sum + count, 0);
  const still = (side: string, dims: number): NoScore => ({
    reason: `the ${side} does not vary: each of its ${dims} dims holds one value in all rows`,
  });
  if (degenerateDims === target.layers * target.dims) return still('target', degenerateDims);
  if (work.still.size === source.layers) return still('source', source.layers * source.dims);
  return { ...summarise(maps, { pairs: rows, splits }), degenerateDims };
}

const BYTES = 8;

/** How many layers a block holds: weights take two thirds of the budget, targets one third, as read and scaled. */
function blockSizes({ rows: { n }, source, target, options, sides }: Work): {
  sources: number;
  targets: number;
} {
  const weights = sides.reduce((sum, { train, test }) => sum + train.length * test.length * BYTES, 0);
  const targets = 2 * n * target.dims * BYTES;
  const fit = (share: number, bytes: number, most: number): number =>
    Math.max(1, Math.min(most, Math.floor((share * options.budgetBytes) / bytes)));
  return { sources: fit(2 / 3, weights, source.layers), targets: fit(1 / 3, targets, target.layers) };
}

function blocksOf(count: number, size: number): number[][] {
  const all = Array.from({ length: count }, (_, layer) => layer);
  return Array.from({ length: Math.ceil(count / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}

const NOT_FINITE = { reason: 'a hidden state holds NaN or infinity' };

/** Per split, the weights of every source layer of the block. */
async function weightsOfBlock(work: Work, block: readonly number[]): Promise<Matrix[][] | NoScore> {
  const { rows, source, options, sides } = work;
  const { algebra, lambda = PAPER_LAMBDA, splits = 3, unit, say } = options;
  const weights: Matrix[][] = sides.map(() => []);
  const trainingRows = fewestTrainingRows(rows, splits, unit);
  const into = new Float64Array(rows.n ** 2);
  for (const layer of block) {
    say?.(`source layer ${layer + 1} of ${source.layers}`);
    const x = await source.read(layer);
    const means = columnMeans(x);
    if (!means.every(Number.isFinite)) return NOT_FINITE;
    if (constantColumns(x).size === x.cols) work.still.add(layer);
    const inverse = await sourceInverse(
      centred({ layer: x, means }, x.data),
      { lambda, trainingRows, into },
      algebra,
    );
    for (const [at, one] of sides.entries())
      (weights[at] as Matrix[]).push(await weightsOf(inverse, { sides: one }, algebra));
  }
  return weights;
}

interface Blocks extends Work {
  block: readonly number[];
  other: readonly number[];
  weights: Matrix[][];
}

/** @returns why there is no map, or undefined */
async function fillMaps(maps: readonly Matrix[], blocks: Blocks): Promise<string | undefined> {
  const { target, options, sides, dead, block, other, weights } = blocks;
  const read: { rows: Matrix; offset: Float64Array; dead: Set<number>; buffer: Matrix }[] = [];
  for (const layer of other) {
    options.say?.(`target layer ${layer + 1} of ${target.layers}, with ${block.length} source layers`);
    const rows = await target.read(layer);
    const offset = columnMeans(rows);
    if (!offset.every(Number.isFinite)) return NOT_FINITE.reason;
    const flat = dead.get(layer) ?? constantColumns(rows);
    dead.set(layer, flat);
    read.push({ rows, offset, dead: flat, buffer: zeros(rows.rows, rows.cols) });
  }
  for (const [at, one] of sides.entries()) {
    const order = Int32Array.from([...one.train, ...one.test]);
    const scaled = read.map((layer) => scaledTarget(layer, one, order));
    const squares = await options.algebra.squaredErrors(
      weights[at] as Matrix[],
      scaled.map(({ rows }) => rows),
    );
    const share = explainedShare(squares, scaled);
    const map = maps[at] as Matrix;
    for (const [i, row] of block.entries())
      for (const [j, col] of other.entries())
        map.data[row * map.cols + col] = share.data[i * share.cols + j] as number;
  }
  return undefined;
}
