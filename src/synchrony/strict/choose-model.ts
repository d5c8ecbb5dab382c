/**
 * Chooses target layer and ridge penalty of one source layer in one fold by cross-validation inside the training part:
 * its folds are merged into three inner parts, each is predicted from the others, and the best explained choice is
 * taken.
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import { blockOf, innerProduct, rowRange, zeros } from '../../numeric/matrix.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';
import { sumOf, type Sums } from './scenario-sums.ts';

export interface Choice {
  target: number;
  /** As a share of the mean eigenvalue. */
  penalty: number;
}

const PENALTIES = [0.1, 0.3, 1, 3];
/** By which target layers are compared, as a share of the mean eigenvalue. */
export const PENALTY_FOR_LAYERS = 3;
const INNER_PARTS = 3;

/** One inner part and all the others. */
interface InnerSplit {
  held: Sums;
  rest: Sums;
  /** (G + λI)⁻¹ of the others, for each penalty as a share of the mean eigenvalue. */
  inverses: Map<number, Matrix>;
}

interface ChoiceInput {
  /** Number of columns of each target layer. */
  widths: number[];
  penalties?: readonly number[] | undefined;
}

/** @param folds sums of each training fold, of one source layer */
export async function chooseModel(
  folds: readonly Sums[],
  { widths, penalties = PENALTIES }: ChoiceInput,
  algebra: LinearAlgebra,
): Promise<Choice> {
  const splits = splitsOf(folds, new Set([PENALTY_FOR_LAYERS, ...penalties]));
  if (splits.length === 0) return { target: 0, penalty: PENALTY_FOR_LAYERS };
  const byTarget = widths.map(() => 0);
  for (const split of splits) addShares(byTarget, await explainedByTarget(split, widths, algebra), split);
  const target = argMax(byTarget);
  const byPenalty = penalties.map(() => 0);
  for (const split of splits) {
    const only = onTarget(split, target, widths);
    addShares(byPenalty, await explainedByPenalty(only, penalties, algebra), only);
  }
  return { target, penalty: penalties[argMax(byPenalty)] as number };
}

/** @returns no split if there is only one part */
function splitsOf(folds: readonly Sums[], shares: ReadonlySet<number>): InnerSplit[] {
  const count = Math.min(INNER_PARTS, folds.length);
  if (count < 2) return [];
  const parts = Array.from({ length: count }, (_, inner) =>
    added(folds.filter((__, at) => at % count === inner)),
  );
  return parts.map((held, inner) => {
    const rest = added(parts.filter((_, at) => at !== inner));
    const mean = meanEigenvalue(rest.gram);
    const inverses = new Map(
      [...shares].map((share) => [share, invertSymmetric(rest.gram, share * mean)] as const),
    );
    return { held, rest, inverses };
  });
}

/** @param sums at least one */
function added(sums: readonly Sums[]): Sums {
  return {
    gram: sumOf(sums.map(({ gram }) => gram)),
    cross: sumOf(sums.map(({ cross }) => cross)),
    energy: (sums[0] as Sums).energy.map((_, target) =>
      sums.reduce((sum, { energy }) => sum + (energy[target] as number), 0),
    ),
  };
}

/** Adds what a split explains as shares of the held-out rows' energy: of each target layer, or of the only one. */
function addShares(gains: number[], explained: readonly number[], { held: { energy } }: InnerSplit): void {
  for (const [at, value] of explained.entries())
    gains[at] = (gains[at] as number) + value / (energy[at % energy.length] || 1);
}

/** What a ridge on the other parts explains of the held-out rows of each target layer, with the penalty for layers. */
async function explainedByTarget(
  { held, rest, inverses }: InnerSplit,
  widths: readonly number[],
  algebra: LinearAlgebra,
): Promise<number[]> {
  const beta = await algebra.multiply(inverses.get(PENALTY_FOR_LAYERS) as Matrix, rest.cross);
  const size = await algebra.multiply(held.gram, beta);
  return explainedOf(beta, { cross: held.cross, size }, widths);
}

/**
 * The same of the only target layer, with each penalty. β is never made: with M the inverse, C and H of the held-out
 * rows and C_o of the others,
 *
 *   2⟨β, C⟩ − ⟨β, H β⟩ = 2⟨M, C_o Cᵀ⟩ − ⟨M H, (M C_o C_oᵀ)ᵀ⟩        β = M C_o
 */
async function explainedByPenalty(
  { held, rest, inverses }: InnerSplit,
  penalties: readonly number[],
  algebra: LinearAlgebra,
): Promise<number[]> {
  const k = rest.gram.rows;
  const stacked = zeros(penalties.length * k, k);
  for (const [at, share] of penalties.entries())
    stacked.data.set((inverses.get(share) as Matrix).data, at * k * k);
  const both = await algebra.multiplyTransposed(rest.cross, held.cross);
  const sizes = await algebra.multiply(stacked, held.gram);
  const own = await algebra.multiplyTransposed(rest.cross, rest.cross);
  const fits = await algebra.multiply(stacked, own);
  return penalties.map((_, at) => {
    const part = (m: Matrix): Matrix => rowRange(m, at * k, (at + 1) * k);
    return 2 * innerProduct(part(stacked), both) - traceOfProduct(part(sizes), part(fits));
  });
}

/** ⟨a, bᵀ⟩ of square matrices. */
function traceOfProduct(a: Matrix, b: Matrix): number {
  const n = a.rows;
  let sum = 0;
  for (let r = 0; r < n; r++)
    for (let c = 0, other = r; c < n; c++, other += n)
      sum += (a.data[r * n + c] as number) * (b.data[other] as number);
  return sum;
}

/** 2⟨β, cross⟩ − ⟨β, size⟩ over the columns of each target layer. */
function explainedOf(beta: Matrix, by: { cross: Matrix; size: Matrix }, widths: readonly number[]): number[] {
  const columns = new Float64Array(beta.cols);
  for (let at = 0; at < beta.data.length;) {
    for (let column = 0; column < columns.length; column++, at++) {
      const gain = 2 * (by.cross.data[at] as number) - (by.size.data[at] as number);
      columns[column] = (columns[column] as number) + (beta.data[at] as number) * gain;
    }
  }
  let start = 0;
  return widths.map((width) => {
    const sum = columns.subarray(start, start + width).reduce((total, value) => total + value, 0);
    start += width;
    return sum;
  });
}

function onTarget({ held, rest, inverses }: InnerSplit, target: number, widths: number[]): InnerSplit {
  const left = widths.slice(0, target).reduce((sum, width) => sum + width, 0);
  const cut = ({ gram, cross, energy }: Sums): Sums => ({
    gram,
    cross: blockOf(cross, { top: 0, left, rows: cross.rows, cols: widths[target] as number }),
    energy: [energy[target] as number],
  });
  return { held: cut(held), rest: cut(rest), inverses };
}

export function meanEigenvalue(gram: Matrix): number {
  let trace = 0;
  for (let k = 0; k < gram.rows; k++) trace += gram.data[k * gram.rows + k] as number;
  return trace / Math.max(1, gram.rows);
}

function argMax(values: number[]): number {
  return values.indexOf(Math.max(...values));
}
