/**
 * Coherence: phase locking weighted by amplitude.
 * Formula: |sum x conj(y)| / sqrt(sum |x|^2 sum |y|^2).
 * Range: 0 to 1.
 * Reference: Nunez et al. 1997.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, coherency, type Coupling } from './analytic.ts';
import { type Measure } from './measure.ts';

const coupling: Coupling = (x, y) => {
  const { re, im } = coherency(x, y);
  return Math.hypot(re, im);
};

export const coh: Measure = {
  name: 'coh',
  about: 'Coherence: phase locking weighted by amplitude.',
  formula: '|sum x conj(y)| / sqrt(sum |x|^2 sum |y|^2)',
  range: '0 to 1',
  reference: 'Nunez et al. 1997',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
