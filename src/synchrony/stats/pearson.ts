/**
 * Pearson's product-moment correlation of two lists of equal length.
 * Formula: r = Σ (x − x̄)(y − ȳ) / √(Σ (x − x̄)² Σ (y − ȳ)²);
 * p of t = r √(ν / (1 − r²)) with ν = n − 2 degrees of freedom,
 * two-sided; 95 % interval by Fisher's z, tanh(artanh r ± 1.96 / √(n − 3)).
 * Range: −1 to 1.
 * Reference: Pearson, 1895; Fisher, 1921.
 * No number: fewer than three values, lists of unequal length, a constant list, or a value that is not finite. No
 * interval: fewer than four values.
 */
import type { Interval, NoScore } from '../types.ts';
import { studentP } from './student.ts';

export interface Correlation {
  r: number;
  /** Two-sided, of no correlation, as if the values were independent of one another. */
  pValue: number;
  count: number;
  interval?: Interval;
}

/** The 97.5 % point of the standard normal distribution. */
const NORMAL_975 = 1.959963984540054;

export function pearson(x: readonly number[], y: readonly number[]): Correlation | NoScore {
  return correlationOf(x, y, 0);
}

/** Pearson's r where `spent` degrees of freedom went into the values before, as in a partial correlation. */
export function correlationOf(
  x: readonly number[],
  y: readonly number[],
  spent: number,
): Correlation | NoScore {
  const count = x.length;
  const freedom = count - 2 - spent;
  if (y.length !== count) return { reason: `the lists have ${count} and ${y.length} values` };
  if (![...x, ...y].every(Number.isFinite)) return { reason: 'a value is not finite' };
  if (freedom < 1) return { reason: `a correlation takes ${3 + spent} values, there are ${count}` };
  const r = coefficient(x, y);
  if (r === undefined) return { reason: 'a list is constant' };
  const rest = 1 - r * r;
  const pValue = rest > 0 ? studentP(r * Math.sqrt(freedom / rest), freedom) : 0;
  return { r, pValue, count, ...(freedom > 1 ? { interval: fisherInterval(r, freedom - 1) } : {}) };
}

/** r alone; undefined if a list is constant up to rounding. */
export function coefficient(x: readonly number[], y: readonly number[]): number | undefined {
  const [first, second] = [centred(x), centred(y)];
  const sizes = dot(first, first) * dot(second, second);
  if (isConstant(first, x) || isConstant(second, y) || !(sizes > 0)) return undefined;
  return Math.max(-1, Math.min(1, dot(first, second) / Math.sqrt(sizes)));
}

/** Whether what is left around the mean is no more than the rounding of the values. */
function isConstant(deviations: readonly number[], values: readonly number[]): boolean {
  const largest = Math.max(...values.map(Math.abs));
  return deviations.every((value) => Math.abs(value) <= 1e-14 * largest);
}

function fisherInterval(r: number, weight: number): Interval {
  const half = NORMAL_975 / Math.sqrt(weight);
  return { low: Math.tanh(Math.atanh(r) - half), high: Math.tanh(Math.atanh(r) + half) };
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.map((value) => value - mean);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] as number), 0);
}
