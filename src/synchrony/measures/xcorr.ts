/**
 * Lagged cross-correlation: at which delay do the streams follow each other most?
 * Formula: for every lag, Pearson's correlation of a[t] with b[t + lag] per dim, averaged in Fisher's z; the
 * value is the one farthest from 0.
 * Range: −1 to 1; a positive best lag says that B follows A.
 * Reference: Boker, Xu, Rotondo, King, 2002.
 * No score: fewer than 8 steps, no dim that varies in both at any lag, values that are not finite. Different
 * numbers of dims give a warning.
 *
 * With B circularly shifted by s, step t of A meets step t + lag − s of B: of all shifts, lag − s takes as many values
 * as there are steps. For each of them the correlations of all lags are computed once, dim by dim, and kept.
 */
import {
  bothSeries,
  circularProducts,
  emptyOverlaps,
  overlapsOf,
  type CircularProducts,
  type DimSeries,
  type Overlaps,
} from './dim-series.ts';
import {
  aligned,
  createFisherMeans,
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
  reach: number;
  /** Of A, by dim, and within it by lag. */
  sums: Float64Array;
  scatters: Float64Array;
  /** Of the dim in hand. */
  overlaps: Overlaps;
}

function bothOf(x: DimSeries, y: DimSeries, reach: number): Both {
  const lags = 2 * reach + 1;
  const [sums, scatters] = [new Float64Array(x.dims * lags), new Float64Array(x.dims * lags)];
  const overlaps = emptyOverlaps(reach);
  for (let c = 0; c < x.dims; c++) {
    overlapsOf({ x, y: x }, { c, offset: 0, whole: 0 }, overlaps);
    for (let k = 0; k < lags; k++) {
      const sum = overlaps.sums[k] as number;
      sums[c * lags + k] = sum;
      scatters[c * lags + k] = (overlaps.squares[k] as number) - (sum * sum) / stepsAt(x, k - reach);
    }
  }
  return { x, y, products: circularProducts(x, y), reach, sums, scatters, overlaps };
}

const stepsAt = ({ steps }: DimSeries, lag: number): number => steps - Math.abs(lag);

/** By lag: the Fisher mean over the dims that vary in both overlaps; NaN for none. */
function curveAt(both: Both, offset: number): Float64Array {
  const { x, y, reach, sums, scatters, overlaps } = both;
  const lags = 2 * reach + 1;
  const means = createFisherMeans(lags);
  const whole = both.products(offset);
  const shares = Float64Array.from({ length: lags }, (_, k) => 1 / stepsAt(x, k - reach));
  const found = new Float64Array(lags);
  for (let c = 0, at = 0; c < x.dims; c++) {
    overlapsOf({ x, y }, { c, offset, whole: whole[c] as number }, overlaps);
    const leastA = UNSAFE * (x.squares[c] as number);
    const leastB = UNSAFE * (y.squares[c] as number);
    for (let k = 0; k < lags; k++, at++) {
      const mean = (overlaps.sums[k] as number) * (shares[k] as number);
      const ofA = scatters[at] as number;
      const ofB = (overlaps.squares[k] as number) - (overlaps.sums[k] as number) * mean;
      const shared = (overlaps.products[k] as number) - (sums[at] as number) * mean;
      found[k] = ofA > leastA && ofB > leastB ? shared / Math.sqrt(ofA * ofB) : Number.NaN;
    }
    for (let k = 0; k < lags; k++)
      if (Number.isNaN(found[k])) found[k] = correlationOf(both, { c, offset, lag: k - reach }) ?? Number.NaN;
    means.add(found);
  }
  return means.values();
}

/** From the values themselves. */
function correlationOf(
  { x, y }: Both,
  { c, offset, lag }: { c: number; offset: number; lag: number },
): number | undefined {
  const from = c * x.width + Math.max(0, -lag);
  const end = from + stepsAt(x, lag);
  return pearson(x.values.subarray(from, end), y.values.subarray(from + offset, end + offset));
}

const shifted: PrepareShifts = async (a, b, { maxLag = MAX_LAG }) => {
  const streams = aligned(a, b, FEWEST_STEPS);
  if ('reason' in streams) return streams;
  const reach = reachOf(a.rows, { maxLag });
  const [x, y] = bothSeries(streams);
  const doubt = unlikeDims(a, b);
  const both = bothOf(x, y, reach);
  const curves = new Map<number, Float64Array>();
  const curve = (offset: number): Float64Array => {
    const place = ((offset % x.steps) + x.steps) % x.steps;
    const known = curves.get(place) ?? curveAt(both, place);
    curves.set(place, known);
    return known;
  };
  return (by) => {
    const found = Array.from({ length: 2 * reach + 1 }, (_, k) => ({
      lag: k - reach,
      r: curve(k - reach - by)[k] as number,
    })).filter(({ r }) => !Number.isNaN(r));
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
