/**
 * Phase locking value: does the phase difference stay the same?
 * Formula: |mean over steps of exp(i (phase x - phase y))|.
 * Range: 0 to 1.
 * Reference: Lachaux et al. 1999.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, phases, type Coupling } from './analytic.ts';
import { type Measure } from './measure.ts';

const coupling: Coupling = (x, y) => {
  const phaseY = phases(y);
  const difference = phases(x).map((phase, t) => phase - (phaseY[t] as number));
  const total = (of: (angle: number) => number): number =>
    difference.reduce((sum, angle) => sum + of(angle), 0);
  return Math.hypot(total(Math.cos), total(Math.sin)) / difference.length;
};

export const plv: Measure = {
  name: 'plv',
  about: 'Phase locking value: does the phase difference stay the same?',
  formula: '|mean over steps of exp(i (phase x - phase y))|',
  range: '0 to 1',
  reference: 'Lachaux et al. 1999',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
