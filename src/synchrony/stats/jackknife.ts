/**
 * Intervals by the delete-one jackknife over scenarios, for one excess, a difference or a mean.
 *
 *   se² = (S − 1) / S · Σ (θ₋ₛ − mean)²,   interval = θ ± t(0.975, S − 1) · se,   p = P(|T| > |θ| / se), S − 1 d.f.
 *
 * θ₋ₛ is the figure without scenario s, on the held-out and on the training side. Figures made of several scores
 * leave out the same scenario in all of them, so what the scores share is in the interval. A scenario that a score
 * does not have changes nothing in it.
 * Reference: Efron, Stein, 1981; Quenouille, 1956.
 * No interval: fewer than two scenarios, or a figure that is not finite.
 */
import type { Interval, NoScore, Replicate } from '../types.ts';
import { studentP, studentQuantile } from './student.ts';

/** A figure, and its values without each scenario. */
export interface Jackknifed {
  excess: number;
  replicates: readonly Replicate[];
}

export interface Estimate extends Interval {
  estimate: number;
  /** Two-sided p-value of the estimate being 0. */
  pValue: number;
}

const ALPHA = 0.05;

/** Estimate and interval of a figure made of several excesses, such as their difference or mean. */
export function jackknife(
  scores: readonly Jackknifed[],
  combine: (excesses: readonly number[]) => number,
): Estimate | NoScore {
  const names = new Set(scores.flatMap(({ replicates }) => replicates.map(({ scenario }) => scenario)));
  const without = scores.map(
    ({ replicates }) => new Map(replicates.map(({ scenario, excess }) => [scenario, excess])),
  );
  const estimate = combine(scores.map(({ excess }) => excess));
  const values = [...names].map((name) =>
    combine(scores.map(({ excess }, at) => without[at]?.get(name) ?? excess)),
  );
  if (values.length < 2) return { reason: 'an interval takes two scenarios' };
  if (![estimate, ...values].every(Number.isFinite)) return { reason: 'a figure is not finite' };
  const freedom = Math.min(...scores.map(({ replicates }) => replicates.length)) - 1;
  const error = Math.sqrt(((values.length - 1) / values.length) * squaresAroundMean(values));
  const half = error * studentQuantile(ALPHA, Math.max(1, freedom));
  const pValue = error > 0 ? studentP(estimate / error, Math.max(1, freedom)) : 1;
  return { estimate, low: estimate - half, high: estimate + half, pValue };
}

function squaresAroundMean(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
}

export const meanOf = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export const differenceOf = ([first = Number.NaN, second = Number.NaN]: readonly number[]): number =>
  first - second;
