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
  addProduct,
  bothSeries,
  circularProducts,
  emptySpread,
  spreadOf,
  wholeSquares,
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
 * Sums over an overlap are those over all steps minus the steps outside, which costs digits. If the scatter of a dim in
 * the overlap is at most this share of its Σ x² over all steps, the correlation is computed from its values directly.
 */
const UNSAFE = 1e-4;

/** The largest lag: at least half of the steps overlap. */
function reachOf(steps: number, { maxLag = MAX_LAG }: Pick<MeasureOptions, 'maxLag'>): number {
  return Math.min(maxLag, Math.floor(steps / 2));
}

interface Both {
  x: DimSeries;
  y: DimSeries;
  /** Over the whole circle. */
  products: CircularProducts;
  /** Smallest scatter of each dim within an overlap at which the differences of sums are used. */
  least: { x: Float64Array; y: Float64Array };
  /** Buffers [dims]; `found` holds the products of a lag, then its correlations. */
  spread: Spread;
  found: Float64Array;
}

function bothOf(x: DimSeries, y: DimSeries): Both {
  const least = (of: DimSeries): Float64Array => wholeSquares(of).map((square) => UNSAFE * square);
  return {
    x,
    y,
    products: circularProducts(x, y),
    least: { x: least(x), y: least(y) },
    spread: emptySpread(x),
    found: new Float64Array(x.dims),
  };
}

/** Σ x[t] · y[t + offset] over the steps of A that have a partner at this lag, written to `out` [dims]. */
function overlapProducts(
  { x, y, products }: Both,
  at: { lag: number; offset: number },
  out: Float64Array,
): void {
  const { lag, offset } = at;
  out.set(products(offset));
  // A's first steps have no partner at a negative lag, its last ones none at a positive lag.
  const first = lag > 0 ? x.steps - lag : 0;
  for (let t = first; t < first + Math.abs(lag); t++) addProduct(out, -1, { x, y, t, offset });
}

/** The overlap of A at each lag, which does not depend on the shift of B. */
interface Lag {
  lag: number;
  overlap: Stretch;
  spread: Spread;
}

function lagOf(x: DimSeries, lag: number): Lag {
  const overlap = { from: Math.max(0, -lag), steps: x.steps - Math.abs(lag) };
  return { lag, overlap, spread: spreadOf(x, overlap, emptySpread(x)) };
}

/** Correlations of the dims that vary in both overlaps, with B shifted by `by`; valid until the next call. */
function correlations(both: Both, { lag, overlap, spread: ofA }: Lag, by: number): Float64Array {
  const { x, y, least, found } = both;
  const n = x.steps;
  const { from, steps } = overlap;
  // Step t of A meets step t + offset of B.
  const offset = (((lag - by) % n) + n) % n;
  const other = { from: (from + offset) % n, steps };
  const ofB = spreadOf(y, other, both.spread);
  overlapProducts(both, { lag, offset }, found);
  let count = 0;
  for (let c = 0; c < x.dims; c++) {
    const [scatterA, scatterB] = [ofA.scatters[c] as number, ofB.scatters[c] as number];
    if (scatterA > (least.x[c] as number) && scatterB > (least.y[c] as number)) {
      const shared = ((ofA.sums[c] as number) * (ofB.sums[c] as number)) / steps;
      const r = ((found[c] as number) - shared) / Math.sqrt(scatterA * scatterB);
      found[count++] = r > 1 ? 1 : r < -1 ? -1 : r;
    } else {
      const r = pearson(stretchOf(x, c, overlap), stretchOf(y, c, other));
      if (r !== undefined) found[count++] = r;
    }
  }
  return found.subarray(0, count);
}

/** The values of a dim over a range of steps. */
function stretchOf({ steps: n, dims, values }: DimSeries, c: number, { from, steps }: Stretch): Float64Array {
  return Float64Array.from({ length: steps }, (_, k) => values[((from + k) % n) * dims + c] as number);
}

const shifted: PrepareShifts = async (a, b, { maxLag = MAX_LAG }) => {
  const streams = aligned(a, b, FEWEST_STEPS);
  if ('reason' in streams) return streams;
  const reach = reachOf(a.rows, { maxLag });
  const [x, y] = bothSeries(streams);
  const doubt = unlikeDims(a, b);
  const both = bothOf(x, y);
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
