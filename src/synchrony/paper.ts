/**
 * SyncR² in the paper's own mode: ridge regression from every layer of A at turn t to every layer of B at the next turn, R² on held-out
 * units, mean over splits, then the maximum over target layers clipped at 0 and the mean over source layers.
 *
 * Range: up to 1; `unclipped` may be negative. No score: too few rows or units, or values that are not finite.
 */
import { groupBy } from './group-by.ts';
import { isFinite, zeros } from './matrix.ts';
import { drawPaperSplit, splitByEpisodes, type Split } from './paper-splits.ts';
import { r2Map, sourceInverse } from './r2-map.ts';
import { seededRandom, shuffled } from './random.ts';
import type { LinearAlgebra, Matrix, NoScore, PaperScore, TurnPairs } from './types.ts';

export interface PaperOptions {
  algebra: LinearAlgebra;
  /** Ridge penalty; the paper's is 0.1. */
  lambda?: number;
  /** How many splits to draw, or the test episodes of each. */
  splits?: number | number[][];
  seed: number;
  /** The paper's null: B's training rows permuted within their dialogue. */
  shuffled?: boolean;
}

const MINIMUM_ROWS = 4;
const PAPER_LAMBDA = 0.1;

export async function paperScore(pairs: TurnPairs, options: PaperOptions): Promise<PaperScore | NoScore> {
  const prepared = await preparePaper(pairs, options);
  return 'reason' in prepared ? prepared : paperScoreOf(prepared, options);
}

/** What scores of the same rows share, whatever their splits: the inverse of every source layer is most of the work. */
export interface PreparedPaper {
  pairs: TurnPairs;
  /** Per source layer [n, n]: see `sourceInverse`. */
  inverses: Matrix[];
  /** Column means [dims] per target layer. */
  means: Float64Array[];
}

export async function preparePaper(
  pairs: TurnPairs,
  { algebra, lambda = PAPER_LAMBDA }: Pick<PaperOptions, 'algebra' | 'lambda'>,
): Promise<PreparedPaper | NoScore> {
  const reason = whyNoScore(pairs);
  if (reason !== undefined) return { reason };
  const inverses: Matrix[] = [];
  let room = zeros(0, 0);
  for (const layer of pairs.source) {
    if (layer.cols !== room.cols) room = zeros(layer.rows, layer.cols);
    centreInto(room, layer);
    inverses.push(await sourceInverse(room, lambda, algebra));
  }
  return { pairs, inverses, means: pairs.target.map(columnMeans) };
}

export async function paperScoreOf(
  { pairs, inverses, means }: PreparedPaper,
  options: Omit<PaperOptions, 'lambda'>,
): Promise<PaperScore | NoScore> {
  const splits = makeSplits(pairs, options);
  if ('reason' in splits) return splits;
  const targets = pairs.target.map((rows, layer) => ({
    rows,
    offset: means[layer] as Float64Array,
    room: zeros(rows.rows, rows.cols),
  }));
  const perSplit: Matrix[] = [];
  for (const [index, split] of splits.entries()) {
    const input = { inverses, targets, split };
    const order =
      options.shuffled === true ? shuffledTraining(pairs, split, options.seed + index) : undefined;
    const whole = order === undefined ? input : { ...input, trainingOrder: order };
    perSplit.push(await r2Map(whole, options.algebra));
  }
  return summarise(perSplit);
}

function whyNoScore(pairs: TurnPairs): string | undefined {
  if (pairs.n < MINIMUM_ROWS) return `only ${pairs.n} turn pairs, at least ${MINIMUM_ROWS} are needed`;
  if (![...pairs.source, ...pairs.target].every(isFinite)) return 'a hidden state holds NaN or infinity';
  return undefined;
}

function makeSplits(pairs: TurnPairs, options: Pick<PaperOptions, 'splits' | 'seed'>): Split[] | NoScore {
  const wanted = options.splits ?? 3;
  const splits =
    typeof wanted === 'number'
      ? Array.from({ length: wanted }, (_, index) => drawPaperSplit(pairs, options.seed, index))
      : wanted.map((episodes) => splitByEpisodes(pairs.episode, episodes));
  const usable = splits.filter(
    (split) => split !== undefined && split.includes(0) && split.filter(Boolean).length > 1,
  );
  if (usable.length < splits.length || usable.length === 0) {
    return { reason: 'the episodes cannot be split into a training and a test part' };
  }
  return usable as Split[];
}

function columnMeans({ rows, cols, data }: Matrix): Float64Array {
  const means = new Float64Array(cols);
  for (let r = 0; r < rows; r++) {
    const start = r * cols;
    for (let c = 0; c < cols; c++) means[c] = (means[c] as number) + (data[start + c] as number);
  }
  return means.map((sum) => sum / rows);
}

/** m with its column means taken out: the same regression, in fewer digits where there is a large offset. */
function centreInto(room: Matrix, m: Matrix): void {
  const means = columnMeans(m);
  for (let r = 0; r < m.rows; r++) {
    const start = r * m.cols;
    for (let c = 0; c < m.cols; c++)
      room.data[start + c] = (m.data[start + c] as number) - (means[c] as number);
  }
}

/** The training rows, those of an episode exchanged among themselves. */
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

function summarise(perSplit: Matrix[]): PaperScore {
  const { rows, cols } = perSplit[0] as Matrix;
  const map = zeros(rows, cols);
  for (const split of perSplit) {
    for (let at = 0; at < map.data.length; at++) {
      map.data[at] = (map.data[at] as number) + (split.data[at] as number) / perSplit.length;
    }
  }
  const layers = Array.from({ length: rows }, (_, i) => [...map.data.subarray(i * cols, (i + 1) * cols)]);
  const best = layers.map((row) => Math.max(...row));
  const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return {
    syncR2: mean(best.map((value) => Math.max(0, value))),
    unclipped: mean(best),
    map,
    bestTargetLayer: layers.map((row, i) => row.indexOf(best[i] as number)),
    perSplit,
  };
}
