/**
 * Power correlation: do the powers rise and fall together?
 * Formula: Pearson of |x|^2 and |y|^2.
 * Range: -1 to 1.
 * Reference: Hipp et al. 2012.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, envelope, type Analytic, type Coupling } from './analytic.ts';
import { pearson, type Measure } from './measure.ts';

const power = (x: Analytic): Float64Array => envelope(x).map((value) => value * value);

const coupling: Coupling = (x, y) => pearson(power(x), power(y));

export const powcorr: Measure = {
  name: 'powcorr',
  about: 'Power correlation: do the powers rise and fall together?',
  formula: 'Pearson of |x|^2 and |y|^2',
  range: '-1 to 1',
  reference: 'Hipp et al. 2012',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
