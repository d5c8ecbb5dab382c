/**
 * Lagged cross-correlation: at which delay do the streams follow each other most?
 * Formula: for every lag, Pearson's correlation of a[t] with b[t + lag] per dim, averaged in Fisher's z; the value is the one farthest from 0.
 * Range: −1 to 1; a positive best lag says that B follows A.
 * Reference: Boker, Xu, Rotondo, King, 2002.
 * No score: fewer than 8 steps, no dim that varies in both at any lag, values that are not finite.
 */
import type { Matrix } from '../types.ts';
import { column, fisherMean, pearson, whyNotAligned, type Measure } from './measure.ts';

const MAX_LAG = 10;
const FEWEST_STEPS = 8;

function correlationAt(a: Matrix, b: Matrix, lag: number): number | undefined {
  const steps = a.rows - Math.abs(lag);
  const fromA = Math.max(0, -lag);
  const fromB = Math.max(0, lag);
  const dims = Math.min(a.cols, b.cols);
  const perDim = Array.from({ length: dims }, (_, c) =>
    pearson(column(a, c).subarray(fromA, fromA + steps), column(b, c).subarray(fromB, fromB + steps)),
  );
  return fisherMean(perDim.filter((r) => r !== undefined));
}

export const xcorr: Measure = {
  name: 'xcorr',
  about: 'Lagged cross-correlation: at which delay do the streams follow each other most?',
  formula: "Pearson's r of a[t] and b[t + lag] per dim, Fisher mean; the lag where it is farthest from 0",
  range: '-1 to 1',
  reference: 'Boker et al. 2002',
  compute: async (a, b, { maxLag = MAX_LAG }) => {
    const reason = whyNotAligned(a, b, FEWEST_STEPS);
    if (reason !== undefined) return reason;
    // At least half of the steps overlap.
    const reach = Math.min(maxLag, Math.floor(a.rows / 2));
    const lags = Array.from({ length: 2 * reach + 1 }, (_, k) => k - reach);
    const found = lags.flatMap((lag) => {
      const r = correlationAt(a, b, lag);
      return r === undefined ? [] : [{ lag, r }];
    });
    if (found.length === 0) return { reason: 'no dim varies in both streams' };
    const best = found.reduce((top, next) => (Math.abs(next.r) > Math.abs(top.r) ? next : top));
    const more = { best_lag: best.lag, lags: found.map(({ lag }) => lag), curve: found.map(({ r }) => r) };
    return { value: best.r, more };
  },
};
