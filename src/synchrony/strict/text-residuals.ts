/**
 * Residuals of states after a ridge regression on the text's components, for one fold. Held-out rows are predicted by a
 * fit to all training scenarios, training rows by a fit without their own scenario, so no residual comes from a fit
 * that has seen its scenario. The penalty of each matrix is the one with the smallest leave-one-scenario-out error.
 * Text, states and residuals are doubly centred.
 *
 *   left out   e_S = (I − T_S (TᵀT + λI)⁻¹ T_Sᵀ)⁻¹ r_S
 *
 * for a scenario S, with r the residuals of the fit to all training scenarios. Scenarios of more rows than the text has
 * components go another way (tall-text-residuals.ts).
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import {
  copyOf,
  joinColumns,
  product,
  splitColumns,
  subtractFrom,
  takeRows,
  transpose,
  blockOf,
} from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { memoize } from '../memoize.ts';
import type { Block, Blocks } from './blocks.ts';
import { meanEigenvalue } from './choose-model.ts';
import { rowsOfBlock } from './scenario-sums.ts';

/** As shares of the text's mean eigenvalue: from almost no penalty to one that removes no text. */
export const PENALTIES = [0.03, 0.1, 0.3, 1, 3, 10, 100, 1e4];

/**
 * The penalty is chosen by the leading columns, which hold most of the variance; all columns would take several times
 * as long.
 */
export const LEADING_COLUMNS = 16;

/** Added to the diagonal, so that a system that is singular up to rounding can be solved. */
const JITTER = 1e-9;

export interface TextInput {
  used: Blocks;
  /** Components of the text [rows in use, p]. */
  text: Matrix;
  /** Blocks that are held out. */
  held: readonly number[];
  algebra: LinearAlgebra;
}

/** A fit under one penalty. */
interface Ridge {
  /** (TᵀT + λI)⁻¹ [p, p] */
  inverse: Matrix;
  /** For each training block: the factor that turns its residuals into left-out ones. */
  leftOut: { block: Block; factor: Matrix }[];
}

/** Residuals of each matrix [rows in use, any]. */
export async function textResiduals(parts: readonly Matrix[], input: TextInput): Promise<Matrix[]> {
  const { used, text, held, algebra } = input;
  const trained = used.blocks.filter((_, at) => !held.includes(at));
  const rows = trained.flatMap(({ start, episodes, turns }) =>
    Array.from({ length: episodes * turns }, (_, at) => start + at),
  );
  const own = transpose(takeRows(text, rows));
  const gram = await algebra.gram(own);
  const ridge = memoize((share: number) => fitRidge({ gram, text, trained, share }, algebra));
  const removal: Removal = { text, own, rows, ridge, algebra };
  const shares = await bestPenalties(parts, removal);
  const out: Matrix[] = [];
  for (const share of new Set(shares)) {
    const places = [...shares.keys()].filter((part) => shares[part] === share);
    const chosen = places.map((part) => parts[part] as Matrix);
    const rest = await residuals(joinColumns(chosen), share, removal);
    for (const [at, m] of splitColumns(
      rest,
      chosen.map(({ cols }) => cols),
    ).entries())
      out[places[at] as number] = m;
  }
  return out;
}

interface Removal {
  text: Matrix;
  /** Text components of the training rows [p, training rows]. */
  own: Matrix;
  rows: number[];
  ridge(share: number): Promise<Ridge>;
  algebra: LinearAlgebra;
}

async function fitRidge(
  of: { gram: Matrix; text: Matrix; trained: readonly Block[]; share: number },
  algebra: LinearAlgebra,
): Promise<Ridge> {
  const inverse = await algebra.invertRidge(of.gram, of.share * meanEigenvalue(of.gram));
  const scaled = await algebra.multiply(of.text, inverse);
  const leftOut = of.trained.map((block) => {
    const hat = product(rowsOfBlock(scaled, block), transpose(rowsOfBlock(of.text, block)));
    return { block, factor: invertSymmetric(identityLess(hat), JITTER) };
  });
  return { inverse, leftOut };
}

function identityLess(m: Matrix): Matrix {
  return { ...m, data: m.data.map((value, at) => (at % (m.cols + 1) === 0 ? 1 : 0) - value) };
}

async function residuals(m: Matrix, share: number, removal: Removal): Promise<Matrix> {
  const { text, own, rows, algebra } = removal;
  const { inverse, leftOut } = await removal.ridge(share);
  const map = await algebra.multiply(inverse, await algebra.multiply(own, takeRows(m, rows)));
  const rest = subtractFrom(copyOf(m), await algebra.multiply(text, map));
  for (const { block, factor } of leftOut) {
    const its = rowsOfBlock(rest, block);
    its.data.set((await algebra.multiply(factor, copyOf(its))).data);
  }
  return rest;
}

/** For each matrix, the penalty with the smallest leave-one-scenario-out error. */
async function bestPenalties(parts: readonly Matrix[], removal: Removal): Promise<number[]> {
  const leading = parts.map((m) =>
    blockOf(m, { top: 0, left: 0, rows: m.rows, cols: Math.min(LEADING_COLUMNS, m.cols) }),
  );
  const all = joinColumns(leading);
  const best = parts.map(() => ({ share: PENALTIES[0] as number, error: Infinity }));
  for (const share of PENALTIES) {
    const rest = takeRows(await residuals(all, share, removal), removal.rows);
    const widths = leading.map(({ cols }) => cols);
    for (const [part, m] of splitColumns(rest, widths).entries()) {
      const error = m.data.reduce((sum, value) => sum + value * value, 0);
      if (error < (best[part]?.error ?? 0)) best[part] = { share, error };
    }
  }
  return best.map((fit) => fit.share);
}
