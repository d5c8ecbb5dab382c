/**
 * What is left of rows when their episode's mean, the mean of their turn and what their text predicts are taken out. The episode's mean is
 * each episode's own; turn and text are fitted on the training part alone. Turn and episode are fitted jointly (turn indicators with
 * their own episode mean out), so that episodes of unequal length do not leave a trace of the drift. Text is `text-removal.ts`.
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import {
  copyOf,
  joinColumns,
  product,
  splitColumns,
  subtractFrom,
  symmetricProduct,
  takeRows,
  transpose,
  zeros,
} from '../../numeric/matrix.ts';
import type { StrictRows } from './rows.ts';
import { fitText } from './text-removal.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

/** What is left of a matrix, and the text's penalty that this took. */
export interface Residual {
  rest: Matrix;
  penalty: number;
  /** What was taken out of held-out rows, as linear maps that hold for other rows too. */
  coefficients: Coefficients;
}

export interface Residualiser {
  /** Matrices [n, any], their episode means out already → their residuals [n, any]. */
  residuals(parts: Matrix[]): Promise<Residual[]>;
  /** The same under a penalty of the text that is given [n, any] → [n, any]. */
  residualsAt(penalty: number, m: Matrix): Promise<Matrix>;
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
  const out = copyOf(m);
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
  const ofText = await turns.remove(text);
  const removal = await fitText({ text: ofText.rest, byTurns: turns.share, rows, train, algebra });
  const residuals = async (parts: Matrix[]): Promise<Residual[]> => {
    const widths = parts.map((part) => part.cols);
    const withoutTurns = await turns.remove(joinColumns(parts));
    const removed = await removal.remove(splitColumns(withoutTurns.rest, widths));
    const byTurn = splitColumns(withoutTurns.map, widths);
    return removed.map(({ rest, map, penalty }, part) => ({
      rest,
      penalty,
      coefficients: { turn: byTurn[part] as Matrix, text: map },
    }));
  };
  const residualsAt = async (penalty: number, m: Matrix): Promise<Matrix> =>
    removal.removeAt(penalty, (await turns.remove(m)).rest);
  return { residuals, residualsAt, textByTurn: ofText.map };
}

/** What is left of a matrix [n, k], and the map that was taken out of it. */
interface Removed {
  rest: Matrix;
  /** [what it is taken out by, k] */
  map: Matrix;
}

interface TurnRemoval {
  remove(m: Matrix): Promise<Removed>;
  /** What the turns of one row say of another [n, n]: indicators · (their Gram matrix)⁻¹ · indicatorsᵀ. */
  share: Matrix;
}

function turnRemoval(rows: StrictRows, train: Int32Array, algebra: LinearAlgebra): TurnRemoval {
  const turns = turnIndicators(rows);
  const inTraining = transpose(takeRows(turns, train));
  const inverse = invertSymmetric(symmetricProduct(inTraining), 1e-9);
  const remove = async (m: Matrix): Promise<Removed> => {
    const map = await algebra.multiply(inverse, await algebra.multiply(inTraining, takeRows(m, train)));
    return { rest: subtractFrom(copyOf(m), await algebra.multiply(turns, map)), map };
  };
  return { remove, share: product(product(turns, inverse), transpose(turns)) };
}

export function trainingRows(rows: StrictRows, fold: number): Int32Array {
  return Int32Array.from(rows.fold.keys()).filter((row) => rows.fold[row] !== fold);
}

export function heldOutRows(rows: StrictRows, fold: number): Int32Array {
  return Int32Array.from(rows.fold.keys()).filter((row) => rows.fold[row] === fold);
}

/** One column per turn but the first, the episode's mean out [n, turns − 1]. */
function turnIndicators(rows: StrictRows): Matrix {
  const out = zeros(rows.turn.length, Math.max(0, rows.turns - 1));
  for (const [r, turn] of rows.turn.entries()) if (turn > 0) out.data[r * out.cols + turn - 1] = 1;
  return centreByEpisode(out, rows.episode);
}
