/** The slope with random intercepts beside statsmodels' MixedLM and a twin that inverts the whole covariance matrix. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { mixedSlope, type GroupedPoint } from '../../../../src/synchrony/stats/mixed-slope.ts';

const X = [
  -2.02, -0.23, -0.87, 3.32, 0.23, -0.35, -0.28, -0.67, -1.06, -0.39, 0.48, -0.24, 0.96, -0.2, 0.02, 1.55,
  0.55, -0.51, -0.18, 0.54, 1.94, -0.27, -0.24, 1.0, -0.89, -0.29, 0.88,
];
const Y = [
  3.5, 4.36, 4.38, 4.51, -0.09, -2.08, -2.6, -1.31, -1.25, 1.87, 1.98, 2.35, 1.95, 2.3, 1.93, 2.56, 2.59, 0.8,
  0.59, 2.3, 3.28, 1.1, 0.95, 2.62, -0.88, 2.09, 2.75,
];
const GROUPS = [4, 5, 3, 6, 4, 5].flatMap((size, group) =>
  Array.from({ length: size }, () => 'abcdef'[group] ?? ''),
);
const POINTS: GroupedPoint[] = X.map((x, at) => ({ x, y: Y[at] as number, group: GROUPS[at] as string }));

function found(points: GroupedPoint[]): Exclude<ReturnType<typeof mixedSlope>, { reason: string }> {
  const answer = mixedSlope(points);
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

/** V⁻¹ of V = I + θ Z Zᵀ, and log |V|, by Gauss–Jordan on the whole matrix. */
function invertWhole(points: GroupedPoint[], theta: number): { inverse: number[][]; log: number } {
  const n = points.length;
  const rows = points.map((one, i) => [
    ...points.map((other, j) => Number(i === j) + (one.group === other.group ? theta : 0)),
    ...points.map((_other, j) => Number(i === j)),
  ]);
  let log = 0;
  for (let k = 0; k < n; k++) {
    const pivot = rows[k]?.[k] as number;
    log += Math.log(pivot);
    rows[k] = (rows[k] as number[]).map((value) => value / pivot);
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const factor = rows[i]?.[k] as number;
      rows[i] = (rows[i] as number[]).map((value, at) => value - factor * (rows[k]?.[at] as number));
    }
  }
  return { inverse: rows.map((row) => row.slice(n)), log };
}

/** Restricted log-likelihood at θ, and the slope there. */
function slowFit(points: GroupedPoint[], theta: number): { likelihood: number; slope: number } {
  const { inverse, log } = invertWhole(points, theta);
  const design = points.map(({ x }) => [1, x]);
  const weigh = (a: number[], b: number[]): number =>
    a.reduce(
      (sum, value, i) => sum + value * b.reduce((part, other, j) => part + (inverse[i]?.[j] ?? 0) * other, 0),
      0,
    );
  const column = (k: number): number[] => design.map((row) => row[k] as number);
  const y = points.map((point) => point.y);
  const [aa, ab, bb] = [
    weigh(column(0), column(0)),
    weigh(column(0), column(1)),
    weigh(column(1), column(1)),
  ];
  const [ay, by] = [weigh(column(0), y), weigh(column(1), y)];
  const determinant = aa * bb - ab * ab;
  const slope = (aa * by - ab * ay) / determinant;
  const intercept = (bb * ay - ab * by) / determinant;
  const rest = y.map((value, at) => value - intercept - slope * (points[at]?.x ?? 0));
  const variance = weigh(rest, rest) / (y.length - 2);
  const likelihood = -0.5 * ((y.length - 2) * Math.log(variance) + log + Math.log(determinant));
  return { likelihood, slope };
}

describe('the slope with random intercepts', () => {
  it('has the estimates of statsmodels MixedLM by REML', () => {
    const { slope, intercept, groupVariance, residualVariance, count, groups } = found(POINTS);
    expect(slope).toBeCloseTo(0.48058594, 6);
    expect(intercept).toBeCloseTo(1.63640948, 6);
    expect(groupVariance).toBeCloseTo(2.8622484, 4);
    expect(residualVariance).toBeCloseTo(0.72032675, 6);
    expect([count, groups]).toEqual([27, 6]);
  });

  it('has the standard error of generalised least squares and a p-value with 20 degrees of freedom', () => {
    // NumPy: √(σ² (Xᵀ V⁻¹ X)⁻¹)₁₁ at the ratio that scipy.optimize.minimize_scalar finds; scipy.stats.t
    const { slope, standardError, interval, pValue } = found(POINTS);
    expect(standardError).toBeCloseTo(0.1658947358, 6);
    expect(interval.high - slope).toBeCloseTo(0.1658947358 * 2.085963447, 6);
    expect(pValue).toBeCloseTo(0.008914838, 7);
  });

  it('stands at the maximum of a likelihood that inverts the whole covariance matrix', () => {
    const { slope, groupVariance, residualVariance } = found(POINTS);
    const theta = groupVariance / residualVariance;
    const best = slowFit(POINTS, theta);
    expect(slope).toBeCloseTo(best.slope, 10);
    for (const other of [0, theta / 3, theta * 0.99, theta * 1.01, theta * 3])
      expect(slowFit(POINTS, other).likelihood).toBeLessThan(best.likelihood);
  });

  it('is ordinary least squares where groups do not differ', () => {
    const points = [0, 1, 2, 3, 4, 5, 6, 7].map((x) => ({ x, y: 2 * x + (x % 2), group: x < 4 ? 'a' : 'b' }));
    const { groupVariance, slope } = found(points);
    expect(groupVariance).toBe(0);
    expect(slope).toBeCloseTo(2 + 2 / 42, 10);
  });

  it('finds a slope within groups that runs against the one between them', () => {
    const random = seededRandom(8);
    const points = [0, 1, 2, 3, 4, 5].flatMap((group) =>
      Array.from({ length: 8 }, () => {
        const x = group + 0.5 * random.normal();
        return { x, y: 10 * group - (x - group) + 0.1 * random.normal(), group: `g${group}` };
      }),
    );
    expect(found(points).slope).toBeCloseTo(-1, 0);
  });

  it('covers the true slope in about 95 of 100 draws', () => {
    const random = seededRandom(9);
    let covered = 0;
    for (let study = 0; study < 300; study++) {
      const points = [0, 1, 2, 3, 4, 5].flatMap((group) => {
        const shift = random.normal();
        return Array.from({ length: 4 }, () => {
          const x = random.normal();
          return { x, y: 0.5 * x + shift + random.normal(), group: `g${group}` };
        });
      });
      const { low, high } = found(points).interval;
      covered += Number(low <= 0.5 && 0.5 <= high);
    }
    expect(covered / 300).toBeGreaterThan(0.91);
    expect(covered / 300).toBeLessThan(0.985);
  });

  it('does not depend on the offset of its values', () => {
    const moved = POINTS.map(({ x, y, group }) => ({ x: x + 1000, y: y - 5000, group }));
    expect(found(moved).slope).toBeCloseTo(found(POINTS).slope, 7);
    expect(found(moved).intercept).toBeCloseTo(
      found(POINTS).intercept - 5000 - 1000 * found(POINTS).slope,
      4,
    );
  });

  it('gives no number for one group, too few values, a constant x and a perfect line', () => {
    const one = POINTS.map((point) => ({ ...point, group: 'a' }));
    expect(mixedSlope(one)).toEqual({ reason: 'a random intercept takes two groups, there is 1' });
    expect(mixedSlope(POINTS.slice(2, 5))).toEqual({
      reason: '3 values in 2 groups leave no degree of freedom',
    } as never);
    const flat = POINTS.map((point) => ({ ...point, x: 3 }));
    const line = POINTS.map((point) => ({ ...point, y: 2 * point.x }));
    for (const points of [flat, line])
      expect(mixedSlope(points)).toEqual({ reason: 'x is constant, or y is a line of it' });
    expect(mixedSlope([])).toHaveProperty('reason');
    expect(mixedSlope([{ x: Number.NaN, y: 1, group: 'a' }])).toEqual({ reason: 'a value is not finite' });
  });
});
