/** Student's distribution compared with tables, and jackknife intervals computed by hand. */
import { describe, expect, it } from 'vitest';
import {
  differenceOf,
  jackknife,
  meanOf,
  type Jackknifed,
} from '../../../../src/synchrony/stats/jackknife.ts';
import { studentP, studentQuantile } from '../../../../src/synchrony/stats/student.ts';

describe('Student’s t', () => {
  it('has the quantiles of the tables', () => {
    for (const [freedom, value] of [
      [1, 12.7062],
      [5, 2.570582],
      [9, 2.262157],
      [30, 2.042272],
      [1000, 1.962339],
    ] as const)
      expect(studentQuantile(0.05, freedom)).toBeCloseTo(value, 4);
  });

  it('gives back the p-value of its quantile, and 1 at 0', () => {
    for (const p of [0.5, 0.05, 1e-4, 1e-9]) expect(studentP(studentQuantile(p, 7), 7) / p).toBeCloseTo(1, 8);
    expect([studentP(0, 3), studentP(Infinity, 3)]).toEqual([1, 0]);
    expect(studentP(-2, 4)).toBe(studentP(2, 4));
  });
});

/**
 * The mean of some values as an excess with replicates; its jackknife error is the standard error of the mean.
 */
const meanScore = (values: number[], first = 0): Jackknifed => ({
  excess: meanOf(values),
  replicates: values.map((value, at) => ({
    scenario: first + at,
    excess: (meanOf(values) * values.length - value) / (values.length - 1),
  })),
});

describe('jackknife', () => {
  const values = [0.2, 0.5, 0.1, 0.4, 0.3];

  it('gives the standard error of the mean for a mean', () => {
    const found = jackknife([meanScore(values)], meanOf);
    const error = Math.sqrt(values.reduce((sum, value) => sum + (value - 0.3) ** 2, 0) / 4 / 5);
    if ('reason' in found) throw new Error(found.reason);
    expect(found.estimate).toBeCloseTo(0.3, 12);
    expect(found.high - found.low).toBeCloseTo(2 * 2.776445 * error, 5);
    expect(found.pValue).toBeCloseTo(studentP(0.3 / error, 4), 10);
  });

  it('leaves the same scenario out of both sides of a difference, so that what they share cancels', () => {
    const shifted = meanScore(values.map((value) => value - 0.1));
    const found = jackknife([meanScore(values), shifted], differenceOf);
    if ('reason' in found) throw new Error(found.reason);
    expect(found.estimate).toBeCloseTo(0.1, 12);
    expect(found.high - found.low).toBeLessThan(1e-9);
  });

  it('adds up the errors of scores that share no scenario', () => {
    const [one, apart] = [meanScore(values), meanScore(values, 100)];
    const alone = jackknife([one], meanOf);
    const found = jackknife([one, apart], differenceOf);
    if ('reason' in found || 'reason' in alone) throw new Error('no interval');
    // Ten replicates, each of which changes one side: (S − 1) / S is 0.9 and not 0.8.
    const wanted = Math.sqrt(2 * (0.9 / 0.8)) * (alone.high - alone.low);
    expect(found.high - found.low).toBeCloseTo(wanted, 8);
  });

  it('gives no interval for one scenario, and p = 1 if nothing differs', () => {
    expect(jackknife([meanScore([0.2])], meanOf)).toHaveProperty('reason');
    expect(jackknife([meanScore(values), meanScore(values)], differenceOf)).toMatchObject({ pValue: 1 });
  });
});
