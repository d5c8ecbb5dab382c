/**
 * Target layer and ridge penalty of one source layer in one fold, chosen inside the training part: its scenarios are split once more, each inner
 * part is predicted from the others, and what is explained best is taken.
 */
import { solveSymmetric } from './cholesky.ts';
import { crossProduct, innerProduct, joinColumns, product, takeRows } from './matrix.ts';
import type { FoldData } from './strict-fit.ts';
import type { Matrix } from './types.ts';

export interface Choice {
  target: number;
  /** Share of the mean eigenvalue. */
  penalty: number;
}

const PENALTIES = [0.01, 0.1, 0.3, 1, 3, 10, 30];
const PENALTY_FOR_LAYERS = 3;
const INNER_FOLDS = 3;

/** Sums over some rows: ZᵀZ [k, k], ZᵀW [k, l] for all target layers side by side, ‖W‖² per target layer. */
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

export function chooseModel(data: FoldData, source: Matrix): Choice {
  const splits = innerSplits(data, source);
  if (splits.length === 0) return { target: 0, penalty: PENALTY_FOR_LAYERS };
  const widths = data.targets.map((target) => target.cols);
  const target = argMax(meanGains(splits, PENALTY_FOR_LAYERS, widths));
  const only = splits.map((split) => onTarget(split, target, widths));
  const width = [widths[target] as number];
  const penalty = PENALTIES[
    argMax(PENALTIES.map((share) => meanGains(only, share, width)[0] as number))
  ] as number;
  return { target, penalty };
}

/** The training rows in inner parts; whole outer folds stay together, so scenarios do too. */
function innerSplits(data: FoldData, source: Matrix): InnerSplit[] {
  const folds = [...new Set(data.train.map((row) => data.rows.fold[row] as number))].sort((a, b) => a - b);
  const count = Math.min(INNER_FOLDS, folds.length);
  const parts = Array.from({ length: count }, (_, inner) => {
    const rows = data.train.filter((row) => folds.indexOf(data.rows.fold[row] as number) % count === inner);
    const z = takeRows(source, rows);
    const targets = data.targets.map((target) => takeRows(target, rows));
    return {
      gram: crossProduct(z, z),
      cross: crossProduct(z, joinColumns(targets)),
      energy: targets.map((w) => innerProduct(w, w)),
    };
  });
  if (count < 2) return [];
  return parts.map((held) => ({ held, rest: sumOf(parts.filter((part) => part !== held)) }));
}

/** At least one part. */
function sumOf(parts: Sums[]): Sums {
  const [first, ...others] = parts as [Sums, ...Sums[]];
  const total = { gram: copy(first.gram), cross: copy(first.cross), energy: first.energy };
  for (const part of others) {
    addTo(total.gram, part.gram);
    addTo(total.cross, part.cross);
  }
  return total;
}

const copy = (m: Matrix): Matrix => ({ ...m, data: m.data.slice() });

function addTo(m: Matrix, other: Matrix): void {
  for (let at = 0; at < m.data.length; at++) m.data[at] = (m.data[at] as number) + (other.data[at] as number);
}

/** Per target layer: the share of the held rows' energy that a ridge fitted on the others explains, mean over splits. */
function meanGains(splits: InnerSplit[], share: number, widths: number[]): number[] {
  const gains = widths.map(() => 0);
  for (const { held, rest } of splits) {
    const beta = solveSymmetric(rest.gram, share * meanEigenvalue(rest.gram), rest.cross);
    const size = product(held.gram, beta);
    for (const [target, explained] of explainedByTarget(
      beta,
      { cross: held.cross, size },
      widths,
    ).entries()) {
      gains[target] = (gains[target] as number) + explained / (held.energy[target] || 1) / splits.length;
    }
  }
  return gains;
}

/** 2⟨β, cross⟩ − ⟨β, size⟩ over the columns of each target layer. */
function explainedByTarget(beta: Matrix, by: { cross: Matrix; size: Matrix }, widths: number[]): number[] {
  const columns = new Float64Array(beta.cols);
  for (let at = 0; at < beta.data.length; at++) {
    const gain = 2 * (by.cross.data[at] as number) - (by.size.data[at] as number);
    const column = at % beta.cols;
    columns[column] = (columns[column] as number) + (beta.data[at] as number) * gain;
  }
  let start = 0;
  return widths.map((width) => {
    const sum = columns.subarray(start, start + width).reduce((total, value) => total + value, 0);
    start += width;
    return sum;
  });
}

function onTarget({ held, rest }: InnerSplit, target: number, widths: number[]): InnerSplit {
  const from = widths.slice(0, target).reduce((sum, width) => sum + width, 0);
  const cut = (sums: Sums): Sums => ({
    gram: sums.gram,
    cross: takeColumns(sums.cross, from, widths[target] as number),
    energy: [sums.energy[target] as number],
  });
  return { held: cut(held), rest: cut(rest) };
}

function takeColumns(m: Matrix, from: number, count: number): Matrix {
  const data = new Float64Array(m.rows * count);
  for (let r = 0; r < m.rows; r++) {
    data.set(m.data.subarray(r * m.cols + from, r * m.cols + from + count), r * count);
  }
  return { rows: m.rows, cols: count, data };
}

export function meanEigenvalue(gram: Matrix): number {
  let trace = 0;
  for (let k = 0; k < gram.rows; k++) trace += gram.data[k * gram.rows + k] as number;
  return trace / Math.max(1, gram.rows);
}

function argMax(values: number[]): number {
  return values.indexOf(Math.max(...values));
}
