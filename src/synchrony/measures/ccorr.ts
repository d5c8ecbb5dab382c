/**
 * Circular correlation: do the phases deviate from their means together?
 * Formula: |sum sin(x - mx) sin(y - my)| / sqrt(sum sin^2 sum sin^2), m the circular means.
 * Range: 0 to 1.
 * Reference: Jammalamadaka and SenGupta 2001; Burgess 2013.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, phases, uncentredCorrelation, type Coupling } from './analytic.ts';
import { type Measure } from './measure.ts';

/** Sine of the deviation from the circular mean. */
function deviations(phase: Float64Array): Float64Array {
  const total = (of: (angle: number) => number): number => phase.reduce((sum, angle) => sum + of(angle), 0);
  const mean = Math.atan2(total(Math.sin), total(Math.cos));
  return phase.map((angle) => Math.sin(angle - mean));
}

const coupling: Coupling = (x, y) => {
  const r = uncentredCorrelation(deviations(phases(x)), deviations(phases(y)));
  return r === undefined ? undefined : Math.abs(r);
};

export const ccorr: Measure = {
  name: 'ccorr',
  about: 'Circular correlation: do the phases deviate from their means together?',
  formula: '|sum sin(x - mx) sin(y - my)| / sqrt(sum sin^2 sum sin^2), m the circular means',
  range: '0 to 1',
  reference: 'Jammalamadaka and SenGupta 2001; Burgess 2013',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
