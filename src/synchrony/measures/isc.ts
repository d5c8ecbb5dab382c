/**
 * Inter-subject correlation: does each dim of one stream rise and fall with the same dim of the other?
 * Formula: Pearson's correlation over steps for each of the first min(dims) dims, averaged in Fisher's z and
 * transformed back.
 * Range: −1 to 1.
 * Reference: Hasson, Nir, Levy, Fuhrmann, Malach, 2004.
 * No score: fewer than 3 steps, no dim that varies in both, values that are not finite. Constant dims are left out;
 * different numbers of dims give a warning.
 */
import { bothSeries, circularProducts, type DimSeries } from './dim-series.ts';
import { aligned, fisherMean, unlikeDims, unshifted, type Measure, type PrepareShifts } from './measure.ts';

/** √ Σ x² of each dim. */
const sizes = ({ squares }: DimSeries): Float64Array => squares.map(Math.sqrt);

const shifted: PrepareShifts = async (a, b) => {
  const streams = aligned(a, b, 3);
  if ('reason' in streams) return streams;
  const [x, y] = bothSeries(streams);
  const doubt = unlikeDims(a, b);
  const sizesY = sizes(y);
  const scales = sizes(x).map((size, c) => size * (sizesY[c] as number));
  const varying = Int32Array.from(scales.keys()).filter((c) => (scales[c] as number) > 0);
  if (varying.length === 0) return { reason: 'no dim varies in both streams' };
  const products = circularProducts(x, y);
  return (by) => {
    const product = products(-by);
    const perDim: number[] = [];
    for (const c of varying) {
      const r = (product[c] as number) / (scales[c] as number);
      perDim.push(r > 1 ? 1 : r < -1 ? -1 : r);
    }
    return {
      value: fisherMean(perDim) as number,
      more: { per_dim: perDim, left_out: x.dims - perDim.length },
      ...doubt,
    };
  };
};

export const isc: Measure = {
  name: 'isc',
  about: 'Inter-subject correlation: does each dim rise and fall with the same dim of the other?',
  formula: "tanh of the mean over dims of atanh(Pearson's r over steps)",
  range: '-1 to 1',
  reference: 'Hasson et al. 2004',
  compute: unshifted(shifted),
  shifted,
};
