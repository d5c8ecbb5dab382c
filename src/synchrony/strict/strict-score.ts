/**
 * The strict score: how much of B's next state A's state explains beyond the episode, the turn and the text, on scenarios it was not fitted on.
 *
 *   score = Σ (2⟨p, w⟩ − ‖p‖²) / Σ ‖w‖² over held-out rows, p the prediction and w the residual target; mean over source layers
 *
 * Range: up to 1, about 0 or a little below without coupling; never clipped. Evidence is the cross-term ⟨p, w⟩ alone under one heavy penalty and
 * over all target layers, standardised per source layer, its maximum over layers held against exchanges of episodes within scenarios.
 * No score: too few samples, episodes or scenarios; values that are not finite; no column that varies.
 */
import { bootstrapInterval, quantile } from '../stats/bootstrap.ts';
import { drawExchanges } from './permutations.ts';
import { groupBy } from '../group-by.ts';
import { isFinite } from '../../numeric/matrix.ts';
import { weighEvidence, widened } from './evidence.ts';
import { fitFolds, strictComponents, type FittedFold, type FoldSums } from './folds.ts';
import { strictKernels, type StrictKernels } from './kernels.ts';
import { chooseRows, tooFew, type Minimums, type StrictRows } from './rows.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import type { NoScore, RowLabels, ScenarioShare, StrictLayer, StrictScore, TurnPairs } from '../types.ts';

export interface StrictOptions {
  algebra: LinearAlgebra;
  seed: number;
  /** Exchanges of episodes that the null is made of. */
  permutations?: number;
  bootstraps?: number;
  /** Which text is taken out: that of A's prompt, or that of B's prompt as well. */
  beyond?: 'history' | 'words';
  minimums?: Minimums;
  /** Told every fitted fold: what a point score goes on from. */
  onFold?: (fold: FittedFold) => void;
}

const DEFAULT_MINIMUMS: Minimums = { samples: 120, episodes: 18, scenarios: 6 };

export async function strictScore(pairs: TurnPairs, options: StrictOptions): Promise<StrictScore | NoScore> {
  const matrices = [...pairs.source, ...pairs.target, pairs.history, pairs.reply];
  if (!matrices.every(isFinite)) return { reason: 'a hidden state or text feature holds NaN or infinity' };
  const reason = tooFew(chooseRows(pairs, options.seed), options.minimums ?? DEFAULT_MINIMUMS);
  if (reason !== undefined) return { reason };
  return strictFromKernels(await strictKernels(pairs, options.algebra), pairs, options);
}

/** The same from kernels that grew turn by turn. */
export async function strictFromKernels(
  kernels: StrictKernels,
  labels: RowLabels,
  options: StrictOptions,
): Promise<StrictScore | NoScore> {
  const rows = chooseRows(labels, options.seed);
  const reason = tooFew(rows, options.minimums ?? DEFAULT_MINIMUMS);
  if (reason !== undefined) return { reason };
  const beyond = options.beyond ?? 'history';
  const components = await strictComponents(kernels, rows, { algebra: options.algebra, beyond });
  if (components.targets.every((target) => target.cols === 0)) {
    return { reason: 'the target states do not vary within episodes' };
  }
  const exchanges = drawExchanges(rows, options.permutations ?? 199, options.seed);
  const { algebra, seed, onFold } = options;
  const sums = await fitFolds(components, rows, { algebra, exchanges, seed, onFold });
  return summarise(sums, { rows, labels, kernels, options });
}

interface Context {
  rows: StrictRows;
  labels: RowLabels;
  kernels: StrictKernels;
  options: StrictOptions;
}

function summarise(sums: FoldSums, context: Context): StrictScore {
  const { rows, options } = context;
  const evidence = weighEvidence(widened(sums.nulls, sums.widening));
  const totals = rowSums(sums.total);
  const scores = rowSums(sums.explained).map((value, layer) => value / (totals[layer] as number));
  // [layers, exchanges], as scores; the first is the score itself.
  const nulls = mapRows(
    withoutFirst(sums.nulls.explained),
    (value, layer) => value / (totals[layer] as number),
  );
  const nullMeans = rowSums(nulls).map((sum) => sum / nulls.cols);
  const nullScores = [...columnMeans(nulls)];
  const score = mean(scores);
  const nullMean = mean(nullMeans);
  const shares = sharesOf(sums, { totals, nullMean, names: rows.scenarioNames });
  return {
    score,
    excess: score - nullMean,
    pValue: evidence.pValue,
    nullMean,
    nullQ95: quantile(nullScores, 0.95),
    ci: bootstrapInterval(
      { shares, nullScores },
      { bootstraps: options.bootstraps ?? 1000, seed: options.seed },
    ),
    n: rows.rows.length,
    episodes: rows.episodes,
    scenarios: rows.scenarios,
    perLayer: Array.from(scores, (value, layer): StrictLayer => ({
      layer,
      score: value,
      excess: value - (nullMeans[layer] as number),
      pValue: evidence.perLayer[layer] as number,
      targetLayer: mostFrequent(sums.chosen[layer] as number[]),
    })),
    degenerateDims: context.kernels.degenerateDims,
    droppedRows: context.labels.episode.length - rows.rows.length,
    shares,
    nullScores,
  };
}

function sharesOf(
  sums: FoldSums,
  of: { totals: Float64Array; nullMean: number; names: number[] },
): ScenarioShare[] {
  const explained = columnMeans(
    mapRows(sums.explained, (value, layer) => value / (of.totals[layer] as number)),
  );
  const total = columnMeans(mapRows(sums.total, (value, layer) => value / (of.totals[layer] as number)));
  return of.names.map((scenario, at) => ({
    scenario,
    excess: (explained[at] as number) - of.nullMean * (total[at] as number),
    total: total[at] as number,
  }));
}

function withoutFirst(m: Matrix): Matrix {
  const rows = Array.from({ length: m.rows }, (_, r) => m.data.subarray(r * m.cols + 1, (r + 1) * m.cols));
  return { rows: m.rows, cols: m.cols - 1, data: Float64Array.from(rows.flatMap((row) => [...row])) };
}

function mapRows(m: Matrix, of: (value: number, row: number) => number): Matrix {
  return { ...m, data: m.data.map((value, at) => of(value, Math.floor(at / m.cols))) };
}

function rowSums(m: Matrix): Float64Array {
  return Float64Array.from({ length: m.rows }, (_, r) =>
    m.data.subarray(r * m.cols, (r + 1) * m.cols).reduce((sum, value) => sum + value, 0),
  );
}

function columnMeans(m: Matrix): Float64Array {
  const means = new Float64Array(m.cols);
  for (const [at, value] of m.data.entries())
    means[at % m.cols] = (means[at % m.cols] as number) + value / m.rows;
  return means;
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function mostFrequent(values: number[]): number {
  const counts = groupBy(values, (value) => value);
  return [...counts].sort((a, b) => b[1].length - a[1].length || a[0] - b[0])[0]?.[0] ?? 0;
}
