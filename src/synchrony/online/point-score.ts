/**
 * The strict score between two full refreshes: scales, components and fits are frozen, and every turn pair that comes is predicted by the fold
 * that never saw its scenario. An episode's mean is its own, so a new row renews the sums of its whole episode; all others stay as they are.
 *
 *   new row ─▶ project (frozen scales and axes) ─▶ sums of its episode (frozen residuals and fit) ─▶ score = mean over layers of Σ explained / Σ total
 *
 * At a refresh it is the full score, but for components that power iteration had not separated yet.
 */
import { isFinite, takeRows, transpose, zeros } from '../../numeric/matrix.ts';
import { centreByEpisode, type Coefficients } from '../strict/residuals.ts';
import { applyScales, type Scales } from '../strict/scales.ts';
import type { FittedFold, StrictComponents } from '../strict/folds.ts';
import { freezeScales, strictKernels, type StrictScales } from '../strict/kernels.ts';
import type { StrictRows } from '../strict/rows.ts';
import { strictFromKernels, type StrictOptions } from '../strict/strict-score.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore, StrictScore, TextSpreads, TurnPairs } from '../types.ts';

interface FrozenLayer {
  target: number;
  source: Coefficients;
  targetOut: Coefficients;
  /** Residual source components → residual target components. */
  beta: Matrix;
}

interface FrozenFold {
  /** [turns − 1, p] */
  textByTurn: Matrix;
  layers: FrozenLayer[];
}

/** Per source layer. */
export interface EpisodeSums {
  explained: Float64Array;
  total: Float64Array;
}

export interface StrictFrozen {
  scales: StrictScales;
  /** Scaled rows → components, per layer [dims, k]; [0, 0] for a target layer that no fit has chosen. */
  sourceAxes: Matrix[];
  targetAxes: Matrix[];
  textAxes: Matrix;
  /** What the text features of the history were divided by. */
  historySpreads: TextSpreads;
  /** Turn number → its rank among the usable ones. */
  turns: Map<number, number>;
  /** Scenario label → its fold. */
  foldOf: Map<number, number>;
  folds: Map<number, FrozenFold>;
  /** Episode label → its sums at the refresh. */
  sums: Map<number, EpisodeSums>;
}

export interface FrozenScore {
  score: StrictScore | NoScore;
  /** Absent without a score. */
  frozen?: StrictFrozen;
}

/** A full score, and what point scores go on from. */
export async function strictScoreFrozen(pairs: TurnPairs, options: StrictOptions): Promise<FrozenScore> {
  const matrices = [...pairs.source, ...pairs.target, pairs.history];
  if (!matrices.every(isFinite))
    return { score: { reason: 'a hidden state or text feature holds NaN or infinity' } };
  const scales = freezeScales(pairs);
  const kernels = await strictKernels(pairs, options.algebra, scales);
  const folds = new Map<number, FrozenFold>();
  const sums = new Map<number, EpisodeSums>();
  let fitted: FittedFold | undefined;
  const onFold = (fold: FittedFold): void => {
    fitted = fold;
    folds.set(fold.fold, freezeFold(fold));
    addSums(sums, fold, pairs.episode);
  };
  const score = await strictFromKernels(kernels, pairs, { ...options, onFold });
  if ('reason' in score || !fitted) return { score };
  const { components, data } = fitted;
  const historySpreads = pairs.historySpreads ?? { text: 1, words: 1, sentence: 1 };
  const targets = new Set([...folds.values()].flatMap((fold) => fold.layers.map((layer) => layer.target)));
  const axes = await frozenAxes(pairs, {
    scales,
    components,
    rows: data.rows,
    targets,
    algebra: options.algebra,
  });
  return { score, frozen: { scales, ...axes, historySpreads, ...places(pairs, data.rows), folds, sums } };
}

function freezeFold({ fits, removed, textByTurn }: FittedFold): FrozenFold {
  const layers = fits.map(({ target, beta }, layer) => ({
    target,
    source: removed.sources[layer] as Coefficients,
    targetOut: removed.targets[target] as Coefficients,
    beta,
  }));
  return { textByTurn, layers };
}

/** Adds the held-out rows of a fold to the sums of their episodes. */
function addSums(sums: Map<number, EpisodeSums>, fold: FittedFold, episode: Int32Array): void {
  const { data, fits, components } = fold;
  for (const [layer, fit] of fits.entries()) {
    const truth = data.targets[fit.target] as Matrix;
    for (const [r, row] of data.test.entries()) {
      const label = episode[data.rows.rows[row] as number] as number;
      const own = sums.get(label) ?? emptySums(fits.length);
      sums.set(label, own);
      const leftover = (components.leftover[fit.target] as Float64Array)[row] as number;
      addRow(own, { layer, leftover, predicted: rowOf(fit.predicted, r), truth: rowOf(truth, row) });
    }
  }
}

const emptySums = (layers: number): EpisodeSums => ({
  explained: new Float64Array(layers),
  total: new Float64Array(layers),
});

const rowOf = (m: Matrix, row: number): Float64Array => m.data.subarray(row * m.cols, (row + 1) * m.cols);

function addRow(
  sums: EpisodeSums,
  row: { layer: number; leftover: number; predicted: Float64Array; truth: Float64Array },
): void {
  let explained = 0;
  let total = row.leftover;
  for (const [k, w] of row.truth.entries()) {
    const p = row.predicted[k] as number;
    explained += 2 * p * w - p * p;
    total += w * w;
  }
  sums.explained[row.layer] = (sums.explained[row.layer] as number) + explained;
  sums.total[row.layer] = (sums.total[row.layer] as number) + total;
}

interface AxesInput {
  scales: StrictScales;
  components: StrictComponents;
  rows: StrictRows;
  /** Target layers that a fit has chosen. */
  targets: Set<number>;
  algebra: LinearAlgebra;
}

/** Axes such that scaled rows with their episode's mean out, times the axes, are the components. */
async function frozenAxes(
  pairs: TurnPairs,
  { scales, components, rows, targets, algebra }: AxesInput,
): Promise<Pick<StrictFrozen, 'sourceAxes' | 'targetAxes' | 'textAxes'>> {
  const axes = (m: Matrix, scale: Scales, scores: Matrix): Promise<Matrix> =>
    axesOf(centreByEpisode(takeRows(applyScales(m, scale), rows.rows), rows.episode), scores, algebra);
  const sourceAxes: Matrix[] = [];
  const targetAxes: Matrix[] = [];
  for (const [l, m] of pairs.source.entries())
    sourceAxes.push(await axes(m, scales.source[l] as Scales, components.sources[l] as Matrix));
  for (const [l, m] of pairs.target.entries())
    targetAxes.push(
      targets.has(l)
        ? await axes(m, scales.target[l] as Scales, components.targets[l] as Matrix)
        : zeros(0, 0),
    );
  return { sourceAxes, targetAxes, textAxes: await axes(pairs.history, scales.history, components.text) };
}

/** X [n, d] and scores W [n, k] with orthogonal columns → U [d, k] with X U ≈ W. */
async function axesOf(x: Matrix, scores: Matrix, algebra: LinearAlgebra): Promise<Matrix> {
  const out = await algebra.multiply(transpose(x), scores);
  const along = await algebra.multiply(x, out);
  for (let k = 0; k < out.cols; k++) {
    let own = 0;
    let square = 0;
    for (let r = 0; r < x.rows; r++) {
      const reached = along.data[r * out.cols + k] as number;
      own += reached * (scores.data[r * out.cols + k] as number);
      square += reached * reached;
    }
    const factor = square > 0 ? own / square : 0;
    for (let d = 0; d < out.rows; d++)
      out.data[d * out.cols + k] = (out.data[d * out.cols + k] as number) * factor;
  }
  return out;
}

function places(pairs: TurnPairs, rows: StrictRows): Pick<StrictFrozen, 'turns' | 'foldOf'> {
  const turns = new Map<number, number>();
  const foldOf = new Map<number, number>();
  for (const [at, row] of rows.rows.entries()) {
    turns.set(pairs.turn[row] as number, rows.turn[at] as number);
    foldOf.set(pairs.scenario[row] as number, rows.fold[at] as number);
  }
  return { turns, foldOf };
}
