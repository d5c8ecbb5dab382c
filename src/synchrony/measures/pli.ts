/**
 * Phase lag index: does one channel lead the other all the time?
 * Formula: |mean of sign(Im x conj(y))|.
 * Range: 0 to 1.
 * Reference: Stam et al. 2007.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, imaginaryCross, type Coupling } from './analytic.ts';
import { type Measure } from './measure.ts';

const coupling: Coupling = (x, y) => {
  const cross = imaginaryCross(x, y);
  return Math.abs(cross.reduce((sum, value) => sum + Math.sign(value), 0)) / cross.length;
};

export const pli: Measure = {
  name: 'pli',
  about: 'Phase lag index: does one channel lead the other all the time?',
  formula: '|mean of sign(Im x conj(y))|',
  range: '0 to 1',
  reference: 'Stam et al. 2007',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
