/**
 * Lagged cross-correlation: at which delay do the streams follow each other most?
 * Formula: for every lag, Pearson's correlation of a[t] with b[t + lag] per dim, averaged in Fisher's z; the value is the one farthest from 0.
 * Range: −1 to 1; a positive best lag says that B follows A.
 * Reference: Boker, Xu, Rotondo, King, 2002.
 * No score: fewer than 8 steps, no dim that varies in both at any lag, values that are not finite.
 */
import { turnRows } from '../../numeric/matrix.ts';
import type { Matrix } from '../../numeric/linear-algebra.ts';
import {
  centreColumns,
  column,
  fisherMean,
  unturned,
  whyNotAligned,
  type Measure,
  type MeasureOptions,
  type Turning,
} from './measure.ts';

const MAX_LAG = 10;
const FEWEST_STEPS = 8;
/** What a dim varies within an overlap, as a share of all of it: below, it is rounding. */
const SILENT = 1e-12;

/** A dim of a centred stream, with the sums of its values and squares up to each step: any overlap costs two subtractions. */
interface Dim {
  values: Float64Array;
  sums: Float64Array;
  squares: Float64Array;
}

function dimsOf(m: Matrix, count: number): Dim[] {
  return Array.from({ length: count }, (_, c) => {
    const values = column(m, c);
    const sums = new Float64Array(values.length + 1);
    const squares = new Float64Array(values.length + 1);
    for (const [t, value] of values.entries()) {
      sums[t + 1] = (sums[t] as number) + value;
      squares[t + 1] = (squares[t] as number) + value * value;
    }
    return { values, sums, squares };
  });
}

/** Sum and scatter of the steps from…from + steps; no scatter where the dim does not vary there. */
function overlap({ sums, squares }: Dim, from: number, steps: number): { sum: number; scatter: number } {
  const between = (totals: Float64Array): number =>
    (totals[from + steps] as number) - (totals[from] as number);
  const sum = between(sums);
  const scatter = between(squares) - (sum * sum) / steps;
  return { sum, scatter: scatter > SILENT * (squares.at(-1) as number) ? scatter : 0 };
}

/** Pearson's correlation of x[t] and y[t + lag]. */
function correlationOf(x: Dim, y: Dim, lag: number): number | undefined {
  const steps = x.values.length - Math.abs(lag);
  const fromX = Math.max(0, -lag);
  const fromY = Math.max(0, lag);
  const ofX = overlap(x, fromX, steps);
  const ofY = overlap(y, fromY, steps);
  const scale = Math.sqrt(ofX.scatter * ofY.scatter);
  if (!(scale > 0)) return undefined;
  let product = 0;
  for (let t = 0; t < steps; t++)
    product += (x.values[fromX + t] as number) * (y.values[fromY + t] as number);
  return Math.max(-1, Math.min(1, (product - (ofX.sum * ofY.sum) / steps) / scale));
}

/** At least half of the steps overlap. */
function reachOf(steps: number, { maxLag = MAX_LAG }: Pick<MeasureOptions, 'maxLag'>): number {
  return Math.min(maxLag, Math.floor(steps / 2));
}

const turned: Turning = async (a, b, { maxLag = MAX_LAG }) => {
  const reason = whyNotAligned(a, b, FEWEST_STEPS);
  if (reason !== undefined) return reason;
  const reach = reachOf(a.rows, { maxLag });
  const lags = Array.from({ length: 2 * reach + 1 }, (_, k) => k - reach);
  const count = Math.min(a.cols, b.cols);
  const dims = dimsOf(centreColumns(a), count);
  const centred = centreColumns(b);
  return (by) => {
    const others = dimsOf(turnRows(centred, by), count);
    const found = lags.flatMap((lag) => {
      const perDim = dims.map((x, c) => correlationOf(x, others[c] as Dim, lag));
      const r = fisherMean(perDim.filter((one) => one !== undefined));
      return r === undefined ? [] : [{ lag, r }];
    });
    if (found.length === 0) return { reason: 'no dim varies in both streams' };
    const best = found.reduce((top, next) => (Math.abs(next.r) > Math.abs(top.r) ? next : top));
    const more = { best_lag: best.lag, lags: found.map(({ lag }) => lag), curve: found.map(({ r }) => r) };
    return { value: best.r, more };
  };
};

export const xcorr: Measure = {
  name: 'xcorr',
  about: 'Lagged cross-correlation: at which delay do the streams follow each other most?',
  formula: "Pearson's r of a[t] and b[t + lag] per dim, Fisher mean; the lag where it is farthest from 0",
  range: '-1 to 1',
  reference: 'Boker et al. 2002',
  compute: unturned(turned),
  turned,
  reach: reachOf,
};
