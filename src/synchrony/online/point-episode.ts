/** The sums of one episode under a frozen fit, from its rows as far as they have come. */
import { product, takeRows, zeros } from '../../numeric/matrix.ts';
import { centreByEpisode, type Coefficients } from '../strict/residuals.ts';
import { applyScales, type Scales } from '../strict/scales.ts';
import type { EpisodeSums, StrictFrozen } from './point-score.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import type { TurnPairs } from '../types.ts';

/** Rows of one episode under the frozen scales and axes, the episode's mean still in. */
export interface ProjectedRows {
  scenario: number;
  turn: number[];
  /** Per layer [rows, k]. */
  sources: Matrix[];
  targets: Matrix[];
  text: Matrix;
  /** Scaled states of the chosen target layers [rows, dims]: what the components leave over is counted too. */
  scaled: Matrix[];
}

/** Projects the rows of one episode; the rows of a later call may be joined to those of an earlier one. */
export function projectRows(frozen: StrictFrozen, pairs: TurnPairs): ProjectedRows {
  const { scales } = frozen;
  const onto = (m: Matrix, axes: Matrix): Matrix => product(m, axes);
  const scaled = pairs.target.map((m, layer) =>
    (frozen.targetAxes[layer] as Matrix).rows > 0
      ? applyScales(m, scales.target[layer] as Scales)
      : zeros(pairs.n, 0),
  );
  return {
    scenario: pairs.scenario[0] as number,
    turn: [...pairs.turn],
    sources: pairs.source.map((m, layer) =>
      onto(applyScales(m, scales.source[layer] as Scales), frozen.sourceAxes[layer] as Matrix),
    ),
    targets: scaled.map((m, layer) => onto(m, frozen.targetAxes[layer] as Matrix)),
    text: onto(applyScales(pairs.history, scales.history), frozen.textAxes),
    scaled,
  };
}

export function joinRows(a: ProjectedRows, b: ProjectedRows): ProjectedRows {
  const stack = (x: Matrix, y: Matrix): Matrix => ({
    rows: x.rows + y.rows,
    cols: x.cols,
    data: Float64Array.from([...x.data, ...y.data]),
  });
  const each = (x: Matrix[], y: Matrix[]): Matrix[] => x.map((m, layer) => stack(m, y[layer] as Matrix));
  return {
    scenario: a.scenario,
    turn: [...a.turn, ...b.turn],
    sources: each(a.sources, b.sources),
    targets: each(a.targets, b.targets),
    text: stack(a.text, b.text),
    scaled: each(a.scaled, b.scaled),
  };
}

/** Undefined where nothing can be said yet: a scenario the refresh did not know, or fewer than two usable rows. */
export function episodeSums(frozen: StrictFrozen, projected: ProjectedRows): EpisodeSums | undefined {
  const fold = frozen.folds.get(frozen.foldOf.get(projected.scenario) ?? -1);
  const rows = [...projected.turn.keys()].filter((row) => frozen.turns.has(projected.turn[row] as number));
  if (!fold || rows.length < 2) return undefined;
  const one = new Int32Array(rows.length);
  const centred = (m: Matrix): Matrix => centreByEpisode(takeRows(m, rows), one);
  const indicators = centred(turnIndicators(frozen, projected.turn));
  const text = minus(centred(projected.text), product(indicators, fold.textByTurn));
  const residual = (m: Matrix, out: Coefficients): Matrix =>
    minus(minus(centred(m), product(indicators, out.turn)), product(text, out.text));
  const sums: EpisodeSums = {
    explained: new Float64Array(fold.layers.length),
    total: new Float64Array(fold.layers.length),
  };
  for (const [layer, fit] of fold.layers.entries()) {
    const predicted = product(residual(projected.sources[layer] as Matrix, fit.source), fit.beta);
    const target = projected.targets[fit.target] as Matrix;
    const truth = residual(target, fit.targetOut);
    const energy =
      squares(centred(projected.scaled[fit.target] as Matrix).data) - squares(centred(target).data);
    sums.explained[layer] = 2 * dot(predicted.data, truth.data) - squares(predicted.data);
    sums.total[layer] = squares(truth.data) + Math.max(0, energy);
  }
  return sums;
}

/** Mean over source layers of Σ explained / Σ total. */
export function pointScore(all: Iterable<EpisodeSums>): number | undefined {
  let explained: Float64Array | undefined;
  let total: Float64Array | undefined;
  for (const sums of all) {
    explained = added(explained, sums.explained);
    total = added(total, sums.total);
  }
  if (!explained || !total) return undefined;
  return (
    explained.reduce((sum, value, layer) => sum + value / (total[layer] as number), 0) / explained.length
  );
}

function added(sum: Float64Array | undefined, more: Float64Array): Float64Array {
  return sum ? sum.map((value, at) => value + (more[at] as number)) : more.slice();
}

/** [rows, turns − 1], the episode's mean still in; a turn that the refresh did not know has a row of zeros. */
function turnIndicators(frozen: StrictFrozen, turns: number[]): Matrix {
  const out = zeros(turns.length, Math.max(0, frozen.turns.size - 1));
  for (const [row, turn] of turns.entries()) {
    const rank = frozen.turns.get(turn) ?? 0;
    if (rank > 0) out.data[row * out.cols + rank - 1] = 1;
  }
  return out;
}

function minus(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, at) => value - (b.data[at] as number)) };
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}

const squares = (values: Float64Array): number => dot(values, values);
