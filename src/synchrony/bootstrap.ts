/** Intervals by bootstrap over scenarios: of one excess, and of the difference between two conditions. */
import { seededRandom } from './random.ts';
import type { Interval, NoScore, ScenarioShare } from './types.ts';

export interface BootstrapOptions {
  bootstraps: number;
  seed: number;
}

/**
 * 95 % interval of Σ excess / Σ total over scenarios. With few scenarios the plain percentiles are too narrow; they are widened around the
 * estimate by √(S / (S − 1)) and by Student's quantile over the normal one.
 */
export function bootstrapInterval(shares: ScenarioShare[], options: BootstrapOptions): Interval {
  const random = seededRandom(options.seed, 4);
  const draws = Array.from({ length: options.bootstraps }, () =>
    ratio(shares.map(() => shares[random.below(shares.length)] as ScenarioShare)),
  );
  return widened(draws, ratio(shares), shares.length);
}

/** What a comparison needs of a score. */
export interface Compared {
  shares: ScenarioShare[];
}

export interface Difference extends Interval {
  difference: number;
}

/** a − b with its interval; scenarios that both conditions have are drawn together. */
export function compareScores(a: Compared, b: Compared, options: BootstrapOptions): Difference | NoScore {
  const names = [...new Set([...a.shares, ...b.shares].map((share) => share.scenario))];
  const both = names.map((name) => ({
    a: a.shares.filter((share) => share.scenario === name),
    b: b.shares.filter((share) => share.scenario === name),
  }));
  const difference = (drawn: typeof both): number =>
    ratio(drawn.flatMap((scenario) => scenario.a)) - ratio(drawn.flatMap((scenario) => scenario.b));
  if (a.shares.length === 0 || b.shares.length === 0) return { reason: 'a condition has no scenario' };
  const random = seededRandom(options.seed, 5);
  const draws: number[] = [];
  for (let draw = 0; draw < options.bootstraps; draw++) {
    const value = difference(both.map(() => both[random.below(both.length)] as (typeof both)[number]));
    if (Number.isFinite(value)) draws.push(value);
  }
  const estimate = difference(both);
  return { difference: estimate, ...widened(draws, estimate, Math.min(a.shares.length, b.shares.length)) };
}

function ratio(shares: ScenarioShare[]): number {
  let excess = 0;
  let total = 0;
  for (const share of shares) {
    excess += share.excess;
    total += share.total;
  }
  return excess / total;
}

/** 97.5 % quantile of Student's t over that of the normal, by the Cornish-Fisher series; within 1 % from 4 degrees of freedom up. */
function studentFactor(freedom: number): number {
  const z = 1.959964;
  const t1 = (z ** 3 + z) / 4;
  const t2 = (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96;
  const t3 = (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384;
  return (z + t1 / freedom + t2 / freedom ** 2 + t3 / freedom ** 3) / z;
}

function widened(draws: number[], estimate: number, scenarios: number): Interval {
  const factor =
    Math.sqrt(scenarios / Math.max(1, scenarios - 1)) * studentFactor(Math.max(1, scenarios - 1));
  const at = (share: number): number => estimate + factor * (quantile(draws, share) - estimate);
  return { low: at(0.025), high: at(0.975) };
}

/** Linear interpolation between order statistics. */
export function quantile(values: ArrayLike<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  const low = sorted[Math.floor(at)] as number;
  const high = sorted[Math.ceil(at)] as number;
  return low + (at - Math.floor(at)) * (high - low);
}
