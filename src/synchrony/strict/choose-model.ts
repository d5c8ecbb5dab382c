/**
 * Chooses target layer and ridge penalty of one source layer in one fold by cross-validation inside the training part:
 * its folds are merged into three inner parts, each is predicted from the others, and the best explained choice is
 * taken.
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import { blockOf, joinColumns, rowRange, zeros } from '../../numeric/matrix.ts';
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
  const splits = splitsOf(folds);
  if (splits.length === 0) return { target: 0, penalty: PENALTY_FOR_LAYERS };
  const [gains] = (await meanGains(splits, { shares: [PENALTY_FOR_LAYERS], widths }, algebra)) as [number[]];
  const target = argMax(gains);
  const only = splits.map((split) => onTarget(split, target, widths));
  const width = [widths[target] as number];
  const byPenalty = await meanGains(only, { shares: penalties, widths: width }, algebra);
  return { target, penalty: penalties[argMax(byPenalty.map(([gain]) => gain as number))] as number };
}

/** @returns no split if there is only one part */
function splitsOf(folds: readonly Sums[]): InnerSplit[] {
  const count = Math.min(INNER_PARTS, folds.length);
  if (count < 2) return [];
  const part = (inner: number, held: boolean): Sums =>
    added(folds.filter((_, at) => (at % count === inner) === held));
  return Array.from({ length: count }, (_, inner) => ({ held: part(inner, true), rest: part(inner, false) }));
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

/**
 * For each penalty and target layer: the share of the held-out rows' energy that a ridge fitted on the others explains,
 * mean over splits.
 */
async function meanGains(
  splits: InnerSplit[],
  { shares, widths }: { shares: readonly number[]; widths: number[] },
  algebra: LinearAlgebra,
): Promise<number[][]> {
  const gains = shares.map(() => widths.map(() => 0));
  for (const { held, rest } of splits) {
    const betas = await ridges(rest, shares, algebra);
    const size = await algebra.multiply(held.gram, betas);
    const repeated = shares.flatMap(() => widths);
    const cross = shares.length === 1 ? held.cross : joinColumns(shares.map(() => held.cross));
    for (const [at, explained] of explainedByTarget(betas, { cross, size }, repeated).entries()) {
      const target = at % widths.length;
      const row = gains[Math.floor(at / widths.length)] as number[];
      row[target] = (row[target] as number) + explained / (held.energy[target] || 1) / splits.length;
    }
  }
  return gains;
}

/** Ridge coefficients for every penalty, side by side [k, penalties · l]. */
async function ridges(
  { gram, cross }: Sums,
  shares: readonly number[],
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const mean = meanEigenvalue(gram);
  const inverses = shares.map((share) => invertSymmetric(gram, share * mean));
  const stacked = zeros(shares.length * gram.rows, gram.cols);
  for (const [at, inverse] of inverses.entries()) stacked.data.set(inverse.data, at * inverse.data.length);
  const betas = await algebra.multiply(stacked, cross);
  return shares.length === 1
    ? betas
    : joinColumns(shares.map((_, at) => rowRange(betas, at * gram.rows, (at + 1) * gram.rows)));
}

/** 2⟨β, cross⟩ − ⟨β, size⟩ over the columns of each target layer. */
function explainedByTarget(beta: Matrix, by: { cross: Matrix; size: Matrix }, widths: number[]): number[] {
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

function onTarget({ held, rest }: InnerSplit, target: number, widths: number[]): InnerSplit {
  const left = widths.slice(0, target).reduce((sum, width) => sum + width, 0);
  const cut = ({ gram, cross, energy }: Sums): Sums => ({
    gram,
    cross: blockOf(cross, { top: 0, left, rows: cross.rows, cols: widths[target] as number }),
    energy: [energy[target] as number],
  });
  return { held: cut(held), rest: cut(rest) };
}

export function meanEigenvalue(gram: Matrix): number {
  let trace = 0;
  for (let k = 0; k < gram.rows; k++) trace += gram.data[k * gram.rows + k] as number;
  return trace / Math.max(1, gram.rows);
}

function argMax(values: number[]): number {
  return values.indexOf(Math.max(...values));
}
