/**
 * How what is left of the rows hangs together when episode, turn and text are taken out: the covariance, in units of the noise, of states that are
 * text times coefficients of the size that the penalty stands for, and noise. Of the training rows each is what its scenario's own left-out
 * fit leaves, so that with D = (I − H_SS)⁻¹ scenario by scenario
 *
 *   training rows   D (C − P − T Q Tᵀ) D        Q = (TᵀT + λI)⁻¹, C takes episode means out, P is what turns say
 *   held-out rows   C + P + T Q Tᵀ
 */
import { subtractFrom, takeBlock, takeRows, transpose, zeros } from './matrix.ts';
import type { StrictRows } from './strict-rows.ts';
import { byScenario, type TextRidge } from './text-ridge.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

export interface Spread {
  /** [training rows, training rows] */
  train: Matrix;
  /** [held-out rows, held-out rows] */
  test: Matrix;
}

export interface SpreadInput {
  rows: StrictRows;
  train: Int32Array;
  test: Int32Array;
  /** Turns out [n, p]. */
  text: Matrix;
  /** P [n, n] */
  byTurns: Matrix;
  ridge: TextRidge;
}

export async function residualSpread(input: SpreadInput, algebra: LinearAlgebra): Promise<Spread> {
  const { rows, train, test, text, byTurns, ridge } = input;
  const { inverse } = ridge;
  const left = subtractFrom(centring(rows, train), takeBlock(byTurns, train, train));
  subtractFrom(left, await along(takeRows(text, train), inverse, algebra));
  const missed = plus(centring(rows, test), takeBlock(byTurns, test, test));
  const byText = await along(takeRows(text, test), inverse, algebra);
  return { train: await bothSides(left, ridge, algebra), test: plus(missed, byText) };
}

/** T Γ Tᵀ; 0 where there is no text. */
async function along(text: Matrix, inner: Matrix, algebra: LinearAlgebra): Promise<Matrix> {
  return algebra.multiplyTransposed(await algebra.multiply(text, inner), text);
}

function plus(a: Matrix, b: Matrix): Matrix {
  return { ...a, data: a.data.map((value, at) => value + (b.data[at] as number)) };
}

/** Takes the mean of their episode out of these rows. */
function centring(rows: StrictRows, of: Int32Array): Matrix {
  const sizes = new Float64Array(rows.episodes);
  for (const row of of)
    sizes[rows.episode[row] as number] = (sizes[rows.episode[row] as number] as number) + 1;
  const out = zeros(of.length, of.length);
  for (let r = 0; r < of.length; r++) {
    const episode = rows.episode[of[r] as number] as number;
    for (let c = 0; c < of.length; c++)
      if (rows.episode[of[c] as number] === episode)
        out.data[r * out.cols + c] = (r === c ? 1 : 0) - 1 / (sizes[episode] as number);
  }
  return out;
}

/** D m D of a symmetric m. */
async function bothSides(m: Matrix, ridge: TextRidge, algebra: LinearAlgebra): Promise<Matrix> {
  return byScenario(transpose(await byScenario(m, ridge, algebra)), ridge, algebra);
}
