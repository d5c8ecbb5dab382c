/**
 * Weighted phase lag index: the phase lag index with little weight near zero lag.
 * Formula: |mean Im x conj(y)| / mean |Im x conj(y)|, 0 where all are 0.
 * Range: 0 to 1.
 * Reference: Vinck et al. 2011.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, imaginaryCross, type Coupling } from './analytic.ts';
import { type Measure } from './measure.ts';

const coupling: Coupling = (x, y) => {
  const cross = imaginaryCross(x, y);
  const size = cross.reduce((sum, value) => sum + Math.abs(value), 0);
  return size > 0 ? Math.abs(cross.reduce((sum, value) => sum + value, 0)) / size : 0;
};

export const wpli: Measure = {
  name: 'wpli',
  about: 'Weighted phase lag index: the phase lag index with little weight near zero lag.',
  formula: '|mean Im x conj(y)| / mean |Im x conj(y)|, 0 where all are 0',
  range: '0 to 1',
  reference: 'Vinck et al. 2011',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
