/**
 * What is left of rows when their episode's mean, the mean of their turn and what their text predicts are taken out. The episode's mean is
 * each episode's own; turn and text are fitted on the training part alone. Turn and episode are fitted jointly (turn indicators with
 * their own episode mean out), so that episodes of unequal length do not leave a trace of the drift. Text enters by ridge on its leading
 * components with the penalty that generalised cross-validation picks for each matrix.
 */
import { solveSymmetric } from './cholesky.ts';
import { symmetricEigen } from './eigen.ts';
import { crossProduct, product, takeRows, zeros } from './matrix.ts';
import type { StrictRows } from './strict-rows.ts';
import type { Matrix } from './types.ts';

/** What is left of a matrix, and how many parameters of the training part that took per column. */
export interface Residual {
  rest: Matrix;
  used: number;
}

export interface Residualiser {
  /** m [n, k], its episode means out already → its residual [n, k]. */
  residual(m: Matrix): Residual;
  /** Rows of the training part less its episodes: what parameters are taken from. */
  freedom: number;
  /** What `residual` takes out of m, as linear maps that hold for other rows too. */
  coefficients(m: Matrix): Coefficients;
  /** The part of the text that the turn tells [turns − 1, p]. */
  textByTurn: Matrix;
}

/** residual = m − indicators · turn − (text − indicators · textByTurn) · text */
export interface Coefficients {
  /** [turns − 1, k] */
  turn: Matrix;
  /** [p, k] */
  text: Matrix;
}

/** Share of the mean eigenvalue of the text: from hardly any penalty to one that leaves the text in. */
const PENALTIES = [1e-6, 1e-3, 1e-2, 0.1, 0.3, 1, 3, 10, 100, 1e4];

/** Takes the episode's mean out of rows and columns: C K C. */
export function centreGramByEpisode(gram: Matrix, episode: Int32Array): Matrix {
  const once = centreByEpisode(gram, episode);
  const n = gram.rows;
  const out = zeros(n, n);
  for (let r = 0; r < n; r++)
    for (let c = 0; c < n; c++) out.data[c * n + r] = once.data[r * n + c] as number;
  return centreByEpisode(out, episode);
}

/** Takes the episode's mean out of every column. */
export function centreByEpisode(m: Matrix, episode: Int32Array): Matrix {
  const episodes = Math.max(-1, ...episode) + 1;
  const means = zeros(episodes, m.cols);
  const counts = new Float64Array(episodes);
  for (const label of episode) counts[label] = (counts[label] as number) + 1;
  const out = { ...m, data: m.data.slice() };
  for (let r = 0; r < m.rows; r++) {
    const label = episode[r] as number;
    for (let c = 0; c < m.cols; c++) {
      const at = label * m.cols + c;
      means.data[at] =
        (means.data[at] as number) + (m.data[r * m.cols + c] as number) / (counts[label] as number);
    }
  }
  for (let r = 0; r < m.rows; r++) {
    const from = (episode[r] as number) * m.cols;
    for (let c = 0; c < m.cols; c++) {
      out.data[r * m.cols + c] = (out.data[r * m.cols + c] as number) - (means.data[from + c] as number);
    }
  }
  return out;
}

/** Fits on the rows outside the fold. text [n, p]: components with their episode means out. */
export function fitResidualiser(rows: StrictRows, text: Matrix, fold: number): Residualiser {
  const train = trainingRows(rows, fold);
  const turns = turnIndicators(rows);
  const turnGram = crossProduct(takeRows(turns, train), takeRows(turns, train));
  const byTurn = (m: Matrix): Matrix =>
    solveSymmetric(turnGram, 1e-9, crossProduct(takeRows(turns, train), takeRows(m, train)));
  const withoutTurns = (m: Matrix): Matrix => subtract(m, product(turns, byTurn(m)));
  const textByTurn = byTurn(text);
  const freedom = train.length - new Set(train.map((row) => rows.episode[row] as number)).size;
  if (text.cols === 0) {
    const coefficients = (m: Matrix): Coefficients => ({ turn: byTurn(m), text: zeros(0, m.cols) });
    const residual = (m: Matrix): Residual => ({ rest: withoutTurns(m), used: turns.cols });
    return { residual, coefficients, textByTurn, freedom };
  }
  const removal = fitText(withoutTurns(text), train, freedom - turns.cols);
  return {
    residual: (m) => {
      const { rest, used } = removal.remove(withoutTurns(m));
      return { rest, used: used + turns.cols };
    },
    freedom,
    coefficients: (m) => ({ turn: byTurn(m), text: removal.map(withoutTurns(m)) }),
    textByTurn,
  };
}

export function trainingRows(rows: StrictRows, fold: number): Int32Array {
  return Int32Array.from(rows.fold.keys()).filter((row) => rows.fold[row] !== fold);
}

interface TextRemoval {
  remove(m: Matrix): Residual;
  /** Text → what it tells of m [p, k]. */
  map(m: Matrix): Matrix;
}

/** Ridge on text whose training part is turned to its own principal axes, so that every penalty costs one division. */
function fitText(text: Matrix, train: Int32Array, freedom: number): TextRemoval {
  const inTraining = takeRows(text, train);
  const { values, vectors } = symmetricEigen(crossProduct(inTraining, inTraining));
  const axes = product(text, vectors);
  const trainingAxes = takeRows(axes, train);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const alongAxes = (m: Matrix): { along: Matrix; used: number } => {
    const own = takeRows(m, train);
    const along = crossProduct(trainingAxes, own);
    const penalty = mean * bestPenalty({ values, mean, along, own, freedom });
    let used = 0;
    for (const value of values) used += value > 0 ? value / (value + penalty) : 0;
    for (let at = 0; at < along.data.length; at++) {
      const value = Math.max(0, values[Math.floor(at / along.cols)] as number) + penalty;
      along.data[at] = value > 0 ? (along.data[at] as number) / value : 0;
    }
    return { along, used };
  };
  return {
    remove: (m) => {
      const { along, used } = alongAxes(m);
      return { rest: subtract(m, product(axes, along)), used };
    },
    map: (m) => product(vectors, alongAxes(m).along),
  };
}

interface TextFit {
  values: Float64Array;
  mean: number;
  /** axesᵀ m [p, k] */
  along: Matrix;
  own: Matrix;
  freedom: number;
}

/** The share with the smallest generalised cross-validation error. */
function bestPenalty({ values, mean, along, own, freedom }: TextFit): number {
  const energy = Array.from(values, (_, k) =>
    squares(along.data.subarray(k * along.cols, (k + 1) * along.cols)),
  );
  const total = squares(own.data);
  let best = { share: PENALTIES.at(-1) as number, error: Number.POSITIVE_INFINITY };
  for (const share of PENALTIES) {
    let explained = 0;
    let used = 0;
    for (const [k, raw] of values.entries()) {
      const value = Math.max(0, raw);
      const sum = value + share * mean;
      if (sum <= 0) continue;
      explained += ((energy[k] as number) * (value + 2 * share * mean)) / (sum * sum);
      used += value / sum;
    }
    const error = (total - explained) / Math.max(1e-9, freedom - used) ** 2;
    if (error < best.error) best = { share, error };
  }
  return best.share;
}

function squares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}

function subtract(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, at) => value - (b.data[at] as number)) };
}

/** One column per turn but the first, the episode's mean out [n, turns − 1]. */
function turnIndicators(rows: StrictRows): Matrix {
  const out = zeros(rows.turn.length, Math.max(0, rows.turns - 1));
  for (const [r, turn] of rows.turn.entries()) if (turn > 0) out.data[r * out.cols + turn - 1] = 1;
  return centreByEpisode(out, rows.episode);
}
