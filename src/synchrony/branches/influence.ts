/**
 * Influence: the share of the variance of B's state that A's choice of words causes. It shows that A acts on B:
 * histories are equal by construction, and only the words were changed.
 *
 *   influence of a layer = σ²_alternative / (σ²_scenario + σ²_episode + σ²_history + σ²_alternative)
 *
 * summed over dims in units of their total standard deviation; the value is the mean over layers. Interval: 95 %
 * percentiles of a bootstrap over scenarios.
 * Range: 0 to 1; exactly 0 if B's state is the same after all alternatives of each history.
 * Reference: variance-components.ts; Shrout, Fleiss, 1979, for the one-way form.
 * No value: too few histories or scenarios, values that are not finite, states of B that do not vary at all.
 */
import { isFinite } from '../../numeric/matrix.ts';
import { seededRandom } from '../../numeric/random.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import { groupBy } from '../group-by.ts';
import { meanOf } from '../stats/jackknife.ts';
import type { Interval, NoScore } from '../types.ts';
import {
  BRANCH_MINIMUMS,
  centreWithin,
  orderHistories,
  tooFewHistories,
  type BranchMinimums,
  type Branches,
  type Histories,
  type History,
  type HistoryBlock,
} from './histories.ts';
import { varianceComponents, type ScenarioSquares } from './variance-components.ts';

export interface Influence {
  value: number;
  ci: Interval;
  /** `layer` is an index into the target layers of the input; a layer without variance is left out. */
  perLayer: { layer: number; value: number }[];
  histories: number;
  branches: number;
  scenarios: number;
}

export interface InfluenceOptions {
  seed: number;
  minimums?: BranchMinimums;
  /** Number of bootstrap samples. */
  draws?: number;
}

export function influence(branches: Branches, options: InfluenceOptions): Influence | NoScore {
  const { seed, minimums = BRANCH_MINIMUMS, draws = 1000 } = options;
  if (!branches.target.every(isFinite)) return { reason: 'a hidden state holds NaN or infinity' };
  const used = orderHistories(branches);
  const reason = tooFewHistories(used, minimums);
  if (reason !== undefined) return { reason };
  const layers = branches.target.flatMap((m, layer) => {
    const squares = layerSquares(m, used);
    return squares ? [{ layer, squares }] : [];
  });
  if (layers.length === 0) return { reason: 'the states of the listener do not vary' };
  const all = [...used.blocks.keys()];
  const perLayer = layers.map(({ layer, squares }) => ({ layer, value: shareOf(squares, all) }));
  const random = seededRandom(seed, 11);
  const drawn = Array.from({ length: draws }, () => {
    const picked = all.map(() => random.below(all.length));
    return meanOf(layers.map(({ squares }) => shareOf(squares, picked, all.length / (all.length - 1))));
  }).sort((a, b) => a - b);
  return {
    value: meanOf(perLayer.map(({ value }) => value)),
    ci: { low: quantile(drawn, 0.025), high: quantile(drawn, 0.975) },
    perLayer,
    histories: used.count,
    branches: used.rows.length,
    scenarios: all.length,
  };
}

interface LayerSquares {
  scenarios: ScenarioSquares[];
  /** Inner products of the scenarios' means after subtracting the grand mean [scenarios, scenarios]. */
  means: Matrix;
}

/**
 * @param widening factor on the squares between scenarios: a bootstrap sample of S scenarios has only (S − 1) / S of
 * the variance of S independent ones
 */
function shareOf({ scenarios, means }: LayerSquares, picked: readonly number[], widening = 1): number {
  const own = picked.map((at) => scenarios[at] as ScenarioSquares);
  const n = own.reduce((sum, { rows }) => sum + rows, 0);
  let [sizes, mean] = [0, 0];
  for (const [p, a] of picked.entries())
    for (const [q, b] of picked.entries()) {
      const product = means.data[a * means.cols + b] as number;
      const weight = (own[p] as ScenarioSquares).rows * (own[q] as ScenarioSquares).rows;
      mean += (weight * product) / n;
      if (p === q) sizes += (own[p] as ScenarioSquares).rows * product;
    }
  const found = varianceComponents(own, widening * Math.max(0, sizes - mean));
  const between = Math.max(0, found.scenario + found.episode + found.history);
  return found.alternative > 0 ? found.alternative / (found.alternative + between) : 0;
}

/** A standard deviation below this share of a column's largest value is rounding. */
const SMALLEST_SPREAD = 1e-9;

/** Sums of squares of one layer for each scenario; undefined if no dimension varies. */
function layerSquares(m: Matrix, used: Histories): LayerSquares | undefined {
  const scale = inverseSpreads(m, used.rows);
  if (scale.every(({ factor }) => factor === 0)) return undefined;
  const within = centreWithin(m, used);
  const scenarios: ScenarioSquares[] = [];
  const means: Float64Array[] = [];
  for (const block of used.blocks) {
    const found = blockSquares({ m, within, scale, rows: used.rows }, block);
    scenarios.push(found.squares);
    means.push(found.mean);
  }
  const size = means.length;
  const data = Float64Array.from({ length: size * size }, (_, at) =>
    dot(means[Math.floor(at / size)] as Float64Array, means[at % size] as Float64Array),
  );
  return { scenarios, means: { rows: size, cols: size, data } };
}

/** Mean of one column, and the factor that scales it to a standard deviation of 1; 0 if it does not vary. */
export interface Scale {
  mean: number;
  factor: number;
}

export function inverseSpreads({ cols, data }: Matrix, rows: Int32Array): Scale[] {
  return Array.from({ length: cols }, (_, c) => {
    let [sum, largest, squares] = [0, 0, 0];
    for (const row of rows) {
      const value = data[row * cols + c] as number;
      sum += value;
      largest = Math.max(largest, Math.abs(value));
    }
    const mean = sum / rows.length;
    for (const row of rows) squares += ((data[row * cols + c] as number) - mean) ** 2;
    const spread = Math.sqrt(squares / (rows.length - 1));
    return { mean, factor: spread > SMALLEST_SPREAD * largest ? 1 / spread : 0 };
  });
}

interface Scaled {
  m: Matrix;
  within: Matrix;
  scale: Scale[];
  rows: Int32Array;
}

function blockSquares(of: Scaled, block: HistoryBlock): { squares: ScenarioSquares; mean: Float64Array } {
  const episodes = [...groupBy(block.histories, ({ episode }) => episode).values()].map((histories) => {
    const parts = histories.map((history) => ({ mean: meanOfRows(of, history), rows: history.alternatives }));
    return { parts, mean: meanOfParts(parts), rows: sumOfRows(parts) };
  });
  const mean = meanOfParts(episodes);
  const histories = episodes.flatMap(({ parts }) => parts);
  return {
    mean,
    squares: {
      alternative: block.histories.reduce((sum, history) => sum + squaresWithin(of, history), 0),
      history: episodes.reduce((sum, { parts, mean: centre }) => sum + squaresAround(parts, centre), 0),
      episode: squaresAround(episodes, mean),
      rows: block.rows,
      histories: histories.length,
      episodes: episodes.length,
      historiesInEpisodes: episodes.reduce((sum, { parts, rows }) => sum + sumOfSquares(parts) / rows, 0),
      squaredHistories: sumOfSquares(histories),
      squaredEpisodes: sumOfSquares(episodes),
    },
  };
}

interface Part {
  mean: Float64Array;
  rows: number;
}

const sumOfRows = (parts: readonly Part[]): number => parts.reduce((sum, { rows }) => sum + rows, 0);
const sumOfSquares = (parts: readonly Part[]): number =>
  parts.reduce((sum, { rows }) => sum + rows * rows, 0);

function meanOfRows({ m, scale, rows }: Scaled, { start, alternatives }: History): Float64Array {
  return Float64Array.from(scale, ({ mean, factor }, c) => {
    let sum = 0;
    for (let r = start; r < start + alternatives; r++)
      sum += m.data[(rows[r] as number) * m.cols + c] as number;
    return (sum / alternatives - mean) * factor;
  });
}

function meanOfParts(parts: readonly Part[]): Float64Array {
  const total = sumOfRows(parts);
  const out = new Float64Array(parts[0]?.mean.length ?? 0);
  for (const { mean, rows } of parts)
    for (let c = 0; c < out.length; c++) out[c] = (out[c] as number) + ((mean[c] as number) * rows) / total;
  return out;
}

function squaresAround(parts: readonly Part[], centre: Float64Array): number {
  let sum = 0;
  for (const { mean, rows } of parts)
    for (let c = 0; c < centre.length; c++) sum += rows * ((mean[c] as number) - (centre[c] as number)) ** 2;
  return sum;
}

function squaresWithin({ within: { data, cols }, scale }: Scaled, { start, alternatives }: History): number {
  let sum = 0;
  for (let at = start * cols; at < (start + alternatives) * cols; at++)
    sum += ((data[at] as number) * (scale[at % cols] as Scale).factor) ** 2;
  return sum;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let c = 0; c < a.length; c++) sum += (a[c] as number) * (b[c] as number);
  return sum;
}

/** Quantile of sorted values, interpolated linearly. */
function quantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const below = sorted[Math.floor(place)] as number;
  const above = sorted[Math.ceil(place)] as number;
  return below + (place - Math.floor(place)) * (above - below);
}
