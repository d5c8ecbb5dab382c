/**
 * Imaginary coherence: coherence that a common source without delay cannot make.
 * Formula: |Im sum x conj(y)| / sqrt(sum |x|^2 sum |y|^2).
 * Range: 0 to 1.
 * Reference: Nolte et al. 2004.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, coherency, type Coupling } from './analytic.ts';
import { type Measure } from './measure.ts';

const coupling: Coupling = (x, y) => Math.abs(coherency(x, y).im);

export const imcoh: Measure = {
  name: 'imcoh',
  about: 'Imaginary coherence: coherence that a common source without delay cannot make.',
  formula: '|Im sum x conj(y)| / sqrt(sum |x|^2 sum |y|^2)',
  range: '0 to 1',
  reference: 'Nolte et al. 2004',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
