/**
 * Adjusted circular correlation: circular correlation that holds for uniform phases too.
 * Formula: |sum sin(x - m) sin(y - n)| / sqrt(sum sin^2 sum sin^2), m and n from the mean sum and the mean difference
 * of the phases.
 * Range: 0 to 1.
 * Reference: Zimmermann et al. 2022.
 * No score: fewer than 8 steps, a channel that is silent in the band, values that are not finite.
 */
import { couplingMatrix, phases, uncentredCorrelation, type Coupling } from './analytic.ts';
import { type Measure } from './measure.ts';

/** Circular mean of x + sign · y. */
function meanAngle(x: Float64Array, y: Float64Array, sign: 1 | -1): number {
  let sines = 0;
  let cosines = 0;
  for (const [t, angle] of x.entries()) {
    sines += Math.sin(angle + sign * (y[t] as number));
    cosines += Math.cos(angle + sign * (y[t] as number));
  }
  return Math.atan2(sines, cosines);
}

const coupling: Coupling = (x, y) => {
  const phaseX = phases(x);
  const phaseY = phases(y);
  const difference = meanAngle(phaseX, phaseY, -1);
  const centreY = (meanAngle(phaseX, phaseY, 1) - difference) / 2;
  const r = uncentredCorrelation(
    phaseX.map((angle) => Math.sin(angle - difference - centreY)),
    phaseY.map((angle) => Math.sin(angle - centreY)),
  );
  return r === undefined ? undefined : Math.abs(r);
};

export const accorr: Measure = {
  name: 'accorr',
  about: 'Adjusted circular correlation: circular correlation that holds for uniform phases too.',
  formula:
    '|sum sin(x - m) sin(y - n)| / sqrt(sum sin^2 sum sin^2), m and n from the mean sum and the mean difference of the phases',
  range: '0 to 1',
  reference: 'Zimmermann et al. 2022',
  compute: (a, b, options) => couplingMatrix({ a, b }, options, coupling),
};
