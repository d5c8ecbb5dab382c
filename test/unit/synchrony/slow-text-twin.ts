/** The slow twin of `text-removal.ts`: one refit per scenario, turns without a penalty and text with one, by Gaussian elimination. */
import { centreByEpisode } from '../../../src/synchrony/strict/residuals.ts';
import { zeros } from '../../../src/numeric/matrix.ts';
import type { StrictRows } from '../../../src/synchrony/strict/rows.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';

interface TwinInput {
  rows: StrictRows;
  fold: number;
  /** Episode means out [n, p] and [n, k]. */
  text: Matrix;
  states: Matrix;
}

/** Every row's residual from a fit on the training part without the row's own scenario [n, k]. */
export function leftOutResiduals({ rows, fold, text, states }: TwinInput, penalty: number): Matrix {
  const out = zeros(states.rows, states.cols);
  const turns = rows.turns - 1;
  const design = designOf(rows, text);
  for (let scenario = 0; scenario < rows.scenarios; scenario++) {
    const all = [...rows.scenario.keys()];
    const seen = all.filter((row) => rows.fold[row] !== fold && rows.scenario[row] !== scenario);
    const beta = ridge(
      seen.map((row) => design[row] as number[]),
      rowsOf(states, seen),
      (k) => (k < turns ? 1e-9 : penalty),
    );
    for (const row of all.filter((own) => rows.scenario[own] === scenario))
      for (let c = 0; c < states.cols; c++) {
        const fitted = (design[row] as number[]).reduce((sum, x, k) => sum + x * (beta[k]?.[c] as number), 0);
        out.data[row * states.cols + c] = (states.data[row * states.cols + c] as number) - fitted;
      }
  }
  return out;
}

/** Turn indicators but the first, episode means out; then the text. */
function designOf(rows: StrictRows, text: Matrix): number[][] {
  const turns = zeros(text.rows, rows.turns - 1);
  for (const [row, turn] of rows.turn.entries()) if (turn > 0) turns.data[row * turns.cols + turn - 1] = 1;
  const all = [...rows.turn.keys()];
  const words = rowsOf(text, all);
  return rowsOf(centreByEpisode(turns, rows.episode), all).map((own, row) => [
    ...own,
    ...(words[row] as number[]),
  ]);
}

function rowsOf({ data, cols }: Matrix, of: number[]): number[][] {
  return of.map((row) => [...data.subarray(row * cols, (row + 1) * cols)]);
}

/** (XᵀX + diag(penalties))⁻¹ XᵀY, row by row. */
function ridge(x: number[][], y: number[][], penaltyOf: (column: number) => number): number[][] {
  const [columns, right] = [columnsOf(x), columnsOf(y)];
  const system = columns.map((own, i) => [
    ...columns.map((other, j) => dot(own, other) + (i === j ? penaltyOf(i) : 0)),
    ...right.map((other) => dot(own, other)),
  ]);
  return eliminate(system).map((row) => row.slice(columns.length));
}

function columnsOf(m: number[][]): number[][] {
  return Array.from(m[0] ?? [], (_, k) => m.map((row) => row[k] as number));
}

function dot(a: number[], b: number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}

/** Gauss-Jordan on a positive definite system with its right-hand sides beside it. */
function eliminate(system: number[][]): number[][] {
  for (const [k, pivot] of system.entries()) {
    const scale = pivot[k] as number;
    for (let c = 0; c < pivot.length; c++) pivot[c] = (pivot[c] as number) / scale;
    for (const [r, row] of system.entries()) {
      const factor = row[k] as number;
      if (r === k || factor === 0) continue;
      for (let c = 0; c < row.length; c++) row[c] = (row[c] as number) - factor * (pivot[c] as number);
    }
  }
  return system;
}
