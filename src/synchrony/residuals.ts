/**
 * What is left of rows when their episode's mean, the mean of their turn and what their text predicts are taken out. The episode's mean is
 * each episode's own; turn and text are fitted on the training part alone. Turn and episode are fitted jointly (turn indicators with
 * their own episode mean out), so that episodes of unequal length do not leave a trace of the drift. Text enters by ridge on its leading
 * components with the penalty that generalised cross-validation picks for each matrix.
 */
import { solveSymmetric } from './cholesky.ts';
import { symmetricEigen } from './eigen.ts';
import { joinColumns, splitColumns, symmetricProduct, takeRows, transpose, zeros } from './matrix.ts';
import type { StrictRows } from './strict-rows.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

/** What is left of a matrix, and how many parameters of the training part that took per column. */
export interface Residual {
  rest: Matrix;
  used: number;
  /** What was taken out, as linear maps that hold for other rows too. */
  coefficients: Coefficients;
}

export interface Residualiser {
  /** Matrices [n, any], their episode means out already → their residuals [n, any]. */
  residuals(parts: Matrix[]): Promise<Residual[]>;
  /** Rows of the training part less its episodes: what parameters are taken from. */
  freedom: number;
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

export interface ResidualiserInput {
  rows: StrictRows;
  /** Components with their episode means out [n, p]. */
  text: Matrix;
  fold: number;
  algebra: LinearAlgebra;
}

/** Fits on the rows outside the fold. */
export async function fitResidualiser(input: ResidualiserInput): Promise<Residualiser> {
  const { rows, text, algebra } = input;
  const train = trainingRows(rows, input.fold);
  const turns = turnRemoval(rows, train, algebra);
  const ofText = await turns(text);
  const episodes = new Set(train.map((row) => rows.episode[row] as number)).size;
  const freedom = train.length - episodes;
  const usedByTurns = ofText.map.rows;
  const removal = await fitText(ofText.rest, { train, freedom: freedom - usedByTurns, algebra });
  const residuals = async (parts: Matrix[]): Promise<Residual[]> => {
    const widths = parts.map((part) => part.cols);
    const withoutTurns = await turns(joinColumns(parts));
    const { rest, map, used } = await removal(withoutTurns.rest, widths);
    const texts = splitColumns(map, widths);
    const byTurn = splitColumns(withoutTurns.map, widths);
    return splitColumns(rest, widths).map((own, part) => ({
      rest: own,
      used: (used[part] as number) + usedByTurns,
      coefficients: { turn: byTurn[part] as Matrix, text: texts[part] as Matrix },
    }));
  };
  return { residuals, freedom, textByTurn: ofText.map };
}

/** What is left of a matrix [n, k], and the map that was taken out of it. */
interface Removed {
  rest: Matrix;
  /** [what it is taken out by, k] */
  map: Matrix;
}

function turnRemoval(
  rows: StrictRows,
  train: Int32Array,
  algebra: LinearAlgebra,
): (m: Matrix) => Promise<Removed> {
  const turns = turnIndicators(rows);
  const inTraining = transpose(takeRows(turns, train));
  const gram = symmetricProduct(inTraining);
  return async (m) => {
    const map = solveSymmetric(gram, 1e-9, await algebra.multiply(inTraining, takeRows(m, train)));
    return { rest: subtract(m, await algebra.multiply(turns, map)), map };
  };
}

export function trainingRows(rows: StrictRows, fold: number): Int32Array {
  return Int32Array.from(rows.fold.keys()).filter((row) => rows.fold[row] !== fold);
}

/** `used` counts per matrix of those side by side. */
type TextRemoval = (m: Matrix, widths: number[]) => Promise<Removed & { used: number[] }>;

interface Training {
  train: Int32Array;
  freedom: number;
  algebra: LinearAlgebra;
}

/** Ridge on text whose training part is turned to its own principal axes, so that every penalty costs one division. */
async function fitText(text: Matrix, { train, freedom, algebra }: Training): Promise<TextRemoval> {
  if (text.cols === 0)
    return async (m, widths) => ({ rest: m, map: zeros(0, m.cols), used: widths.map(() => 0) });
  const { values, vectors } = symmetricEigen(await algebra.gram(transpose(takeRows(text, train))));
  const axes = await algebra.multiply(text, vectors);
  const trainingAxes = transpose(takeRows(axes, train));
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return async (m, widths) => {
    const own = takeRows(m, train);
    const along = await algebra.multiply(trainingAxes, own);
    const energies = { along: energyByPart(along, widths), own: energyByPart(own, widths) };
    const penalties = widths.map((_, part) => {
      const energy = energies.along.map((row) => row[part] as number);
      const total = energies.own.reduce((sum, row) => sum + (row[part] as number), 0);
      return mean * bestPenalty({ values, mean, energy, total, freedom });
    });
    shrink(along, { values, penalties, widths });
    return {
      rest: subtract(m, await algebra.multiply(axes, along)),
      map: await algebra.multiply(vectors, along),
      used: penalties.map((penalty) => freedomUsed(values, penalty)),
    };
  };
}

/** Per row, the sum of squares of each of the matrices that stand side by side. */
function energyByPart(m: Matrix, widths: number[]): number[][] {
  return Array.from({ length: m.rows }, (_, r) => {
    let at = r * m.cols;
    return widths.map((width) => {
      let sum = 0;
      for (const end = at + width; at < end; at++) sum += (m.data[at] as number) ** 2;
      return sum;
    });
  });
}

/** What lies along each axis, divided by the axis' value and the penalty of its matrix. */
function shrink(along: Matrix, by: { values: Float64Array; penalties: number[]; widths: number[] }): void {
  let at = 0;
  for (const raw of by.values) {
    for (const [part, width] of by.widths.entries()) {
      const value = Math.max(0, raw) + (by.penalties[part] as number);
      const factor = value > 0 ? 1 / value : 0;
      for (const end = at + width; at < end; at++) along.data[at] = (along.data[at] as number) * factor;
    }
  }
}

function freedomUsed(values: Float64Array, penalty: number): number {
  let used = 0;
  for (const value of values) used += value > 0 ? value / (value + penalty) : 0;
  return used;
}

interface TextFit {
  values: Float64Array;
  mean: number;
  /** Per axis, what of the matrix lies along it; and all of it. */
  energy: number[];
  total: number;
  freedom: number;
}

/** The share with the smallest generalised cross-validation error. */
function bestPenalty({ values, mean, energy, total, freedom }: TextFit): number {
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

function subtract(a: Matrix, b: Matrix): Matrix {
  const out = zeros(a.rows, a.cols);
  for (let at = 0; at < out.data.length; at++) out.data[at] = (a.data[at] as number) - (b.data[at] as number);
  return out;
}

/** One column per turn but the first, the episode's mean out [n, turns − 1]. */
function turnIndicators(rows: StrictRows): Matrix {
  const out = zeros(rows.turn.length, Math.max(0, rows.turns - 1));
  for (const [r, turn] of rows.turn.entries()) if (turn > 0) out.data[r * out.cols + turn - 1] = 1;
  return centreByEpisode(out, rows.episode);
}
