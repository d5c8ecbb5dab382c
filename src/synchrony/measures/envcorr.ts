/**
 * Envelope correlation: do the amplitudes rise and fall together?
 * Formula: Pearson of |x| and |y|.
 * Range: -1 to 1.
 * Reference: Hipp et al. 2012.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, envelope, type Coupling } from './analytic.ts';
import { pearson, type Measure } from './measure.ts';

const coupling: Coupling = (x, y) => pearson(envelope(x), envelope(y));

export const envcorr: Measure = {
  name: 'envcorr',
  about: 'Envelope correlation: do the amplitudes rise and fall together?',
  formula: 'Pearson of |x| and |y|',
  range: '-1 to 1',
  reference: 'Hipp et al. 2012',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
