/**
 * Lagged cross-correlation: at which delay do the streams follow each other most?
 * Formula: for every lag, Pearson's correlation of a[t] with b[t + lag] per dim, averaged in Fisher's z; the
 * value is the one farthest from 0.
 * Range: −1 to 1; a positive best lag says that B follows A.
 * Reference: Boker, Xu, Rotondo, King, 2002.
 * No score: fewer than 8 steps, no dim that varies in both at any lag, values that are not finite. Different
 * numbers of dims give a warning.
 *
 * With B circularly shifted by s, step t of A meets step t + lag − s of B. The inner product over the overlap
 * is that over the whole circle minus the |lag| terms outside the overlap; the product over the circle depends
 * only on lag − s and is kept.
 */
import {
  bothSeries,
  circularProducts,
  spreadOf,
  type CircularProducts,
  type DimSeries,
  type Spread,
  type Stretch,
} from './dim-series.ts';
import {
  aligned,
  fisherMean,
  pearson,
  unlikeDims,
  unshifted,
  type Measure,
  type MeasureOptions,
  type PrepareShifts,
} from './measure.ts';

const MAX_LAG = 10;
const FEWEST_STEPS = 8;
/**
 * If the variance of a dim within the overlap is below this share of the whole, differences of sums lose digits
 * that the correlation needs.
 */
const UNSAFE = 1e-4;

/** The largest lag: at least half of the steps overlap. */
function reachOf(steps: number, { maxLag = MAX_LAG }: Pick<MeasureOptions, 'maxLag'>): number {
  return Math.min(maxLag, Math.floor(steps / 2));
}

interface Both {
  x: DimSeries;
  y: DimSeries;
  products: CircularProducts;
}

/** The overlap of A at each lag, which does not depend on the shift of B. */
interface Lag {
  lag: number;
  overlap: Stretch;
  spread: Spread;
}

function lagOf(x: DimSeries, lag: number): Lag {
  const overlap = { from: Math.max(0, -lag), steps: x.steps - Math.abs(lag) };
  return { lag, overlap, spread: spreadOf(x, overlap) };
}

/** Correlations of the dims that vary in both overlaps, with B shifted by `by`. */
function correlations({ x, y, products }: Both, { lag, overlap, spread }: Lag, by: number): Float64Array {
  const { steps: n, dims } = x;
  const { from, steps } = overlap;
  // Step t of A meets step t + offset of B; A's steps from `edge` on have no partner.
  const offset = (((lag - by) % n) + n) % n;
  const edge = { from: lag > 0 ? n - lag : 0, steps: n - steps };
  const other = { from: (from + offset) % n, steps };
  const spreadY = spreadOf(y, other);
  const circle = products(offset);
  const found = new Float64Array(dims);
  let count = 0;
  for (let c = 0; c < dims; c++) {
    const [ofX, ofY] = [spread.scatters[c] as number, spreadY.scatters[c] as number];
    const isSafe = ofX > UNSAFE * wholeOf(x, c) && ofY > UNSAFE * wholeOf(y, c);
    const product = (circle[c] as number) - edgeProduct({ x, y, c }, edge, offset);
    const covariance = product - ((spread.sums[c] as number) * (spreadY.sums[c] as number)) / steps;
    const r = isSafe
      ? covariance / (Math.sqrt(ofX) * Math.sqrt(ofY))
      : pearson(stretchOf(x, c, overlap), stretchOf(y, c, other));
    if (r !== undefined) found[count++] = Math.max(-1, Math.min(1, r));
  }
  return found.subarray(0, count);
}

const wholeOf = ({ steps, squares }: DimSeries, c: number): number =>
  squares[(c + 1) * (steps + 1) - 1] as number;

/** Σ x[t] · y[t + offset] over the steps of A that have no partner. */
function edgeProduct(
  { x, y, c }: { x: DimSeries; y: DimSeries; c: number },
  edge: Stretch,
  offset: number,
): number {
  const n = x.steps;
  let sum = 0;
  for (let t = edge.from; t < edge.from + edge.steps; t++) {
    const meets = t + offset < n ? t + offset : t + offset - n;
    sum += (x.values[c * n + t] as number) * (y.values[c * n + meets] as number);
  }
  return sum;
}

/** The values of a dim over a range of steps. */
function stretchOf({ steps: n, values }: DimSeries, c: number, { from, steps }: Stretch): Float64Array {
  return Float64Array.from({ length: steps }, (_, k) => values[c * n + ((from + k) % n)] as number);
}

const shifted: PrepareShifts = async (a, b, { maxLag = MAX_LAG }) => {
  const streams = aligned(a, b, FEWEST_STEPS);
  if ('reason' in streams) return streams;
  const reach = reachOf(a.rows, { maxLag });
  const [x, y] = bothSeries(streams);
  const doubt = unlikeDims(a, b);
  const both = { x, y, products: circularProducts(x, y) };
  const lags = Array.from({ length: 2 * reach + 1 }, (_, k) => lagOf(x, k - reach));
  return (by) => {
    const found = lags.flatMap((one) => {
      const r = fisherMean(correlations(both, one, by));
      return r === undefined ? [] : [{ lag: one.lag, r }];
    });
    if (found.length === 0) return { reason: 'no dim varies in both streams' };
    const best = found.reduce((top, next) => (Math.abs(next.r) > Math.abs(top.r) ? next : top));
    const more = { best_lag: best.lag, lags: found.map(({ lag }) => lag), curve: found.map(({ r }) => r) };
    return { value: best.r, more, ...doubt };
  };
};

export const xcorr: Measure = {
  name: 'xcorr',
  about: 'Lagged cross-correlation: at which delay do the streams follow each other most?',
  formula: "Pearson's r of a[t] and b[t + lag] per dim, Fisher mean; the lag where it is farthest from 0",
  range: '-1 to 1',
  reference: 'Boker et al. 2002',
  compute: unshifted(shifted),
  shifted,
  reach: reachOf,
};
