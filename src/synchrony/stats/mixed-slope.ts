/**
 * Slope of y on x in a linear mixed model with a random intercept for each group, such as a scenario, by restricted
 * maximum likelihood.
 * Formula: y = α + β x + u(group) + e, Var u = θ σ², Var e = σ². For a ratio θ, α, β and σ² follow by generalised least
 * squares, where a group of n rows has the weight I − θ / (1 + n θ) · 1 1ᵀ; θ is the one with the largest
 * −½ [(n − 2) log σ² + Σ log(1 + n θ) + log |Xᵀ V⁻¹ X|]. p of t = β / se with n − groups − 1 degrees of freedom.
 * Range: any slope; θ from 0 on.
 * Reference: Laird, Ware, 1982; Pinheiro, Bates, 2000, 2.2 and 2.4.2 (degrees of freedom of a slope within groups).
 * No number: fewer than two groups, no degree of freedom left, x constant within all groups and between them, a perfect
 * line, or a value that is not finite.
 */
import type { Interval, NoScore } from '../types.ts';
import { studentP, studentQuantile } from './student.ts';

export interface MixedSlope {
  slope: number;
  intercept: number;
  standardError: number;
  interval: Interval;
  /** Two-sided, of slope 0. */
  pValue: number;
  /** Variance of the random intercepts, and of what is left. */
  groupVariance: number;
  residualVariance: number;
  count: number;
  groups: number;
}

export interface GroupedPoint {
  x: number;
  y: number;
  group: string;
}

export function mixedSlope(points: readonly GroupedPoint[]): MixedSlope | NoScore {
  if (!points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)))
    return { reason: 'a value is not finite' };
  const sums = sumsByGroup(points);
  const freedom = points.length - sums.length - 1;
  if (sums.length < 2) return { reason: `a random intercept takes two groups, there is ${sums.length}` };
  if (freedom < 1)
    return { reason: `${points.length} values in ${sums.length} groups leave no degree of freedom` };
  const fitOf = (theta: number): Fit | undefined => fitAt(sums, points.length, theta);
  const start = fitOf(0);
  if (!start) return { reason: 'x is constant, or y is a line of it' };
  const { slope, intercept, slopeVariance, variance, theta } = largestLikelihood(fitOf, start);
  const standardError = Math.sqrt(slopeVariance);
  const half = standardError * studentQuantile(0.05, freedom);
  return {
    slope,
    intercept,
    standardError,
    interval: { low: slope - half, high: slope + half },
    pValue: studentP(slope / standardError, freedom),
    groupVariance: theta * variance,
    residualVariance: variance,
    count: points.length,
    groups: sums.length,
  };
}

interface GroupSums {
  n: number;
  x: number;
  y: number;
  xx: number;
  xy: number;
  yy: number;
}

/** Sums of each group around the means of all, which keeps the digits of large values. */
function sumsByGroup(points: readonly GroupedPoint[]): (GroupSums & { atX: number; atY: number })[] {
  const atX = points.reduce((sum, { x }) => sum + x, 0) / points.length;
  const atY = points.reduce((sum, { y }) => sum + y, 0) / points.length;
  const groups = new Map<string, GroupSums & { atX: number; atY: number }>();
  for (const { x: rawX, y: rawY, group } of points) {
    const [x, y] = [rawX - atX, rawY - atY];
    const known = groups.get(group) ?? { n: 0, x: 0, y: 0, xx: 0, xy: 0, yy: 0, atX, atY };
    groups.set(group, {
      ...known,
      n: known.n + 1,
      x: known.x + x,
      y: known.y + y,
      xx: known.xx + x * x,
      xy: known.xy + x * y,
      yy: known.yy + y * y,
    });
  }
  return [...groups.values()];
}

interface Fit {
  theta: number;
  slope: number;
  intercept: number;
  slopeVariance: number;
  /** σ². */
  variance: number;
  logLikelihood: number;
}

/** Generalised least squares for a ratio of variances; undefined if X or the residual is singular. */
function fitAt(groups: ReturnType<typeof sumsByGroup>, count: number, theta: number): Fit | undefined {
  let [a, b, c, ay, by, yy, logs] = [0, 0, 0, 0, 0, 0, 0];
  for (const { n, x, y, xx, xy, yy: squares } of groups) {
    const shrink = theta / (1 + n * theta);
    a += n - shrink * n * n;
    b += x - shrink * n * x;
    c += xx - shrink * x * x;
    ay += y - shrink * n * y;
    by += xy - shrink * x * y;
    yy += squares - shrink * y * y;
    logs += Math.log1p(n * theta);
  }
  const determinant = a * c - b * b;
  if (!(determinant > 1e-12 * a * c)) return undefined;
  const slope = (a * by - b * ay) / determinant;
  const intercept = (c * ay - b * by) / determinant;
  const rest = yy - intercept * ay - slope * by;
  const spread = groups.reduce((sum, { yy: squares }) => sum + squares, 0);
  if (!(rest > 1e-13 * spread)) return undefined;
  const variance = rest / (count - 2);
  const logLikelihood = -0.5 * ((count - 2) * Math.log(variance) + logs + Math.log(determinant));
  const { atX = 0, atY = 0 } = groups[0] ?? {};
  const atZero = intercept + atY - slope * atX;
  return {
    theta,
    slope,
    intercept: atZero,
    slopeVariance: (variance * a) / determinant,
    variance,
    logLikelihood,
  };
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

/**
 * The best of θ = 0 and a grid of its logarithm from e⁻¹⁴ to e¹⁴, then golden-section search around the best of the
 * grid.
 */
function largestLikelihood(fitOf: (theta: number) => Fit | undefined, start: Fit): Fit {
  const at = (log: number): number => fitOf(Math.exp(log))?.logLikelihood ?? -Infinity;
  const grid = Array.from({ length: 57 }, (_, step) => -14 + step / 2);
  const peak = grid.reduce((best, log) => (at(log) > at(best) ? log : best));
  let [low, high] = [peak - 0.5, peak + 0.5];
  for (let step = 0; step < 80; step++) {
    const [left, right] = [high - GOLDEN * (high - low), low + GOLDEN * (high - low)];
    if (at(left) > at(right)) high = right;
    else low = left;
  }
  const found = fitOf(Math.exp((low + high) / 2));
  return found && found.logLikelihood > start.logLikelihood ? found : start;
}
