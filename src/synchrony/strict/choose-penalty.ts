/**
 * Target layer and ridge penalty of one source layer in one fold, chosen inside the training part: its scenarios are split once more, each inner
 * part is predicted from the others, and what is explained best is taken.
 */
import { invertSymmetric } from '../../numeric/cholesky.ts';
import {
  addTo,
  blockOf,
  copyOf,
  innerProduct,
  joinColumns,
  rowRange,
  takeRows,
  transpose,
  zeros,
} from '../../numeric/matrix.ts';
import type { FoldData } from './fit.ts';
import type { LinearAlgebra, Matrix } from '../../numeric/linear-algebra.ts';

export interface Choice {
  target: number;
  /** Share of the mean eigenvalue. */
  penalty: number;
}

const PENALTIES = [0.01, 0.1, 0.3, 1, 3, 10, 30];
const PENALTY_FOR_LAYERS = 3;
const INNER_FOLDS = 3;

/** Sums over some rows, of one source layer: ZᵀZ [k, k], ZᵀW [k, l] for all target layers side by side, ‖W‖² per target layer. */
interface Sums {
  gram: Matrix;
  cross: Matrix;
  energy: number[];
}

/** One inner part and all the others. */
interface InnerSplit {
  held: Sums;
  rest: Sums;
}

/** Per source layer. */
export async function chooseModels(data: FoldData, algebra: LinearAlgebra): Promise<Choice[]> {
  const parts = await innerParts(data, algebra);
  const widths = data.targets.map((target) => target.cols);
  const choices: Choice[] = [];
  for (const layer of data.sources.keys()) {
    const splits = splitsOf(parts.map((part) => part[layer] as Sums));
    choices.push(
      splits.length === 0
        ? { target: 0, penalty: PENALTY_FOR_LAYERS }
        : await chooseModel(splits, widths, algebra),
    );
  }
  return choices;
}

/** None where there is one part alone. */
function splitsOf(parts: Sums[]): InnerSplit[] {
  if (parts.length < 2) return [];
  return parts.map((held) => ({ held, rest: sumOf(parts.filter((part) => part !== held)) }));
}

async function chooseModel(splits: InnerSplit[], widths: number[], algebra: LinearAlgebra): Promise<Choice> {
  const [gains] = (await meanGains(splits, { shares: [PENALTY_FOR_LAYERS], widths }, algebra)) as [number[]];
  const target = argMax(gains);
  const only = splits.map((split) => onTarget(split, target, widths));
  const width = [widths[target] as number];
  const byPenalty = await meanGains(only, { shares: PENALTIES, widths: width }, algebra);
  return { target, penalty: PENALTIES[argMax(byPenalty.map(([gain]) => gain as number))] as number };
}

/** Inner parts of the training rows, the sums of every source layer in each; whole outer folds stay together, so scenarios do too. */
async function innerParts(data: FoldData, algebra: LinearAlgebra): Promise<Sums[][]> {
  const folds = [...new Set(data.train.map((row) => data.rows.fold[row] as number))].sort((a, b) => a - b);
  const count = Math.min(INNER_FOLDS, folds.length);
  const parts: Sums[][] = [];
  for (let inner = 0; inner < count; inner++) {
    const rows = data.train.filter((row) => folds.indexOf(data.rows.fold[row] as number) % count === inner);
    parts.push(await sumsOver(data, rows, algebra));
  }
  return parts;
}

async function sumsOver(data: FoldData, rows: Int32Array, algebra: LinearAlgebra): Promise<Sums[]> {
  const sources = data.sources.map((source) => takeRows(source, rows));
  const targets = data.targets.map((target) => takeRows(target, rows));
  const energy = targets.map((w) => innerProduct(w, w));
  const cross = await algebra.multiply(transpose(joinColumns(sources)), joinColumns(targets));
  const sums: Sums[] = [];
  let top = 0;
  for (const z of sources) {
    const gram = await algebra.gram(transpose(z));
    sums.push({ gram, cross: rowRange(cross, top, top + z.cols), energy });
    top += z.cols;
  }
  return sums;
}

/** At least one part. */
function sumOf(parts: Sums[]): Sums {
  const [first, ...others] = parts as [Sums, ...Sums[]];
  const total = { gram: copyOf(first.gram), cross: copyOf(first.cross), energy: first.energy };
  for (const part of others) {
    addTo(total.gram, part.gram);
    addTo(total.cross, part.cross);
  }
  return total;
}

/** Per penalty and target layer: the share of the held rows' energy that a ridge fitted on the others explains, mean over splits. */
async function meanGains(
  splits: InnerSplit[],
  { shares, widths }: { shares: number[]; widths: number[] },
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

/** Coefficients for every penalty, side by side [k, shares · l]. */
async function ridges({ gram, cross }: Sums, shares: number[], algebra: LinearAlgebra): Promise<Matrix> {
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
