/**
 * Inter-subject correlation: does each dim of one stream rise and fall with the same dim of the other?
 * Formula: Pearson's correlation over steps for each of the first min(dims) dims, averaged in Fisher's z and turned back.
 * Range: −1 to 1.
 * Reference: Hasson, Nir, Levy, Fuhrmann, Malach, 2004.
 * No score: fewer than 3 steps, no dim that varies in both, values that are not finite. Dims that do not vary are left out.
 */
import { turnRows } from '../../numeric/matrix.ts';
import {
  column,
  fisherMean,
  pearson,
  unturned,
  whyNotAligned,
  type Measure,
  type Turning,
} from './measure.ts';

const turned: Turning = async (a, b) => {
  const reason = whyNotAligned(a, b, 3);
  if (reason !== undefined) return reason;
  const dims = Math.min(a.cols, b.cols);
  const columns = Array.from({ length: dims }, (_, c) => column(a, c));
  return (by) => {
    const other = turnRows(b, by);
    const perDim = columns.map((x, c) => pearson(x, column(other, c))).filter((r) => r !== undefined);
    const value = fisherMean(perDim);
    if (value === undefined) return { reason: 'no dim varies in both streams' };
    return { value, more: { per_dim: perDim, left_out: dims - perDim.length } };
  };
};

export const isc: Measure = {
  name: 'isc',
  about: 'Inter-subject correlation: does each dim rise and fall with the same dim of the other?',
  formula: "tanh of the mean over dims of atanh(Pearson's r over steps)",
  range: '-1 to 1',
  reference: 'Hasson et al. 2004',
  compute: unturned(turned),
  turned,
};
