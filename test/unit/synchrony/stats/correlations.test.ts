/** Pearson, Spearman and partial correlation beside SciPy's figures and slow twins. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { partialCorrelation } from '../../../../src/synchrony/stats/partial-correlation.ts';
import { pearson } from '../../../../src/synchrony/stats/pearson.ts';
import { ranks, spearman } from '../../../../src/synchrony/stats/spearman.ts';

const X = [2.1, 3.4, 1.9, 5.6, 4.4, 3.3, 6.1, 2.8];
const Y = [1.2, 2.9, 2.2, 4.1, 4.9, 2.4, 4.6, 3.3];
const Z = [0.5, 1.5, 0.7, 2.5, 1.1, 0.9, 3.0, 2.2];
const W = [1, 0, 1, 1, 0, 0, 1, 0];

function found<T extends object>(answer: T | { reason: string }): T {
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

/** r(x, y | z) from the three plain correlations. */
function slowPartial(x: number[], y: number[], z: number[]): number {
  const r = (a: number[], b: number[]): number => found(pearson(a, b)).r;
  const [xy, xz, yz] = [r(x, y), r(x, z), r(y, z)];
  return (xy - xz * yz) / Math.sqrt((1 - xz ** 2) * (1 - yz ** 2));
}

/** A rank counts the values below, and half of the equal ones. */
const slowRank = (values: number[], value: number): number =>
  values.filter((other) => other < value).length + (values.filter((other) => other === value).length + 1) / 2;

describe('Pearson’s correlation', () => {
  it('has the r, p-value and interval of scipy.stats.pearsonr', () => {
    const { r, pValue, interval, count } = found(pearson(X, Y));
    expect(r).toBeCloseTo(0.8387605526423195, 13);
    expect(pValue).toBeCloseTo(0.00925336999515711, 12);
    expect(interval?.low).toBeCloseTo(0.32788417262374203, 10);
    expect(interval?.high).toBeCloseTo(0.97007113648591, 10);
    expect(count).toBe(8);
  });

  it('does not depend on the unit or the offset of its values', () => {
    const { r } = found(pearson(X, Y));
    const moved = pearson(
      X.map((x) => 1e6 + x * 1e-3),
      Y.map((y) => -4 * y),
    );
    expect(found(moved).r).toBeCloseTo(-r, 6);
  });

  it('is 1 with p 0 for a line, and gives no number where there is none', () => {
    const { r, pValue } = found(pearson([1, 2, 3, 4], [2, 4, 6, 8]));
    expect([r, pValue]).toEqual([1, 0]);
    expect(pearson([1, 2], [1, 2])).toEqual({ reason: 'a correlation takes 3 values, there are 2' });
    expect(pearson([1, 2, 3], [0.1, 0.1, 0.1])).toEqual({ reason: 'a list is constant' });
    expect(pearson([1, 2, 3], [1, 2])).toEqual({ reason: 'the lists have 3 and 2 values' });
    expect(pearson([1, Number.NaN, 3], [1, 2, 3])).toEqual({ reason: 'a value is not finite' });
    expect(found(pearson([1, 2, 3], [1, 3, 2])).interval).toBeUndefined();
  });

  it('has uniform p-values for independent normal values', () => {
    const random = seededRandom(3);
    const draw = (): number[] => Array.from({ length: 9 }, () => random.normal());
    const small = Array.from({ length: 2000 }, () => found(pearson(draw(), draw())).pValue <= 0.05);
    expect(Math.abs(small.filter(Boolean).length / 2000 - 0.05)).toBeLessThan(0.015);
  });
});

describe('Spearman’s correlation', () => {
  it('has the rho and p-value of scipy.stats.spearmanr, with ties', () => {
    const { r, pValue } = found(spearman([1, 2, 2, 3, 5, 5, 5, 8], [2, 1, 4, 4, 3, 7, 6, 6]));
    expect(r).toBeCloseTo(0.7144097497387378, 13);
    expect(pValue).toBeCloseTo(0.046472459760133436, 12);
  });

  it('ranks values as the slow twin does', () => {
    const random = seededRandom(4);
    for (let size = 1; size < 20; size++) {
      const values = Array.from({ length: size }, () => random.below(6));
      expect(ranks(values)).toEqual(values.map((value) => slowRank(values, value)));
    }
  });

  it('does not change under a rising function of the values', () => {
    expect(found(spearman(X.map(Math.exp), Y))).toEqual(found(spearman(X, Y)));
  });

  it('gives no number for a value that is not finite', () => {
    expect(spearman([1, 2, Number.NaN], [1, 2, 3])).toEqual({ reason: 'a value is not finite' });
  });
});

describe('partial correlation', () => {
  it('equals that of residuals by numpy.linalg.lstsq and that of the precision matrix, for two covariates', () => {
    const { r, pValue, count } = found(partialCorrelation(X, Y, [Z, W]));
    expect(r).toBeCloseTo(0.7285411644416797, 12);
    expect(pValue).toBeCloseTo(0.10053296196188823, 12);
    expect(count).toBe(8);
  });

  it('equals the slow twin for one covariate, however large its values are', () => {
    const expected = slowPartial(X, Y, Z);
    for (const scale of [1, 1e8, 1e-8]) {
      const { r } = found(partialCorrelation(X, Y, [Z.map((z) => scale * (z + 3))]));
      expect(r).toBeCloseTo(expected, 10);
    }
  });

  it('is Pearson’s without covariates, and does not count a covariate twice', () => {
    expect(found(partialCorrelation(X, Y, [])).pValue).toBeCloseTo(found(pearson(X, Y)).pValue, 12);
    const once = found(partialCorrelation(X, Y, [Z]));
    const twice = found(partialCorrelation(X, Y, [Z, Z.map((z) => 2 * z - 1), Z.map(() => 7)]));
    expect(twice.pValue).toBeCloseTo(once.pValue, 10);
  });

  it('gives no number where a covariate explains all, or too few values are left', () => {
    expect(partialCorrelation(X, Y, [X.map((x) => 3 * x + 1)])).toEqual({
      reason: 'the covariates explain a list whole',
    });
    expect(partialCorrelation([1, 2, 4], [3, 1, 2], [[1, 0, 0]])).toEqual({
      reason: 'a correlation takes 4 values, there are 3',
    });
    expect(partialCorrelation(X, Y, [[1, 2]])).toEqual({ reason: 'the lists have 8 and 2 values' });
  });
});
