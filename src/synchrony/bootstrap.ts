/** Intervals by bootstrap over scenarios: of one excess, and of the difference between two conditions. */
import { seededRandom, type Random } from './random.ts';
import type { Interval, NoScore, ScenarioShare, StrictScore } from './types.ts';

export interface BootstrapOptions {
  bootstraps: number;
  seed: number;
}

/** What an interval is made of; a strict score is one. */
export type Drawable = Pick<StrictScore, 'shares' | 'nullScores'>;

/**
 * 95 % interval of Σ excess / Σ total over scenarios. All scenarios share one fit, whose own noise a bootstrap over held-out scenarios does not
 * see: every draw adds the deviation of one exchange from the null's mean. With few scenarios plain percentiles are too narrow; they are
 * widened around the estimate by √(S / (S − 1)) and by Student's quantile over the normal one.
 */
export function bootstrapInterval(score: Drawable, options: BootstrapOptions): Interval {
  const random = seededRandom(options.seed, 4);
  const { shares } = score;
  const draws = Array.from(
    { length: options.bootstraps },
    () => ratio(shares.map(() => pick(shares, random))) + fitNoise(score, random),
  );
  return widened(draws, ratio(shares), shares.length);
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.below(items.length)] as T;
}

function fitNoise({ nullScores }: Drawable, random: Random): number {
  if (nullScores.length === 0) return 0;
  const mean = nullScores.reduce((sum, value) => sum + value, 0) / nullScores.length;
  return pick(nullScores, random) - mean;
}

export interface Difference extends Interval {
  difference: number;
}

/** a − b with its interval; scenarios that both conditions have are drawn together. */
export function compareScores(a: Drawable, b: Drawable, options: BootstrapOptions): Difference | NoScore {
  if (a.shares.length === 0 || b.shares.length === 0) return { reason: 'a condition has no scenario' };
  const names = [...new Set([...a.shares, ...b.shares].map((share) => share.scenario))];
  const both = names.map((name) => ({
    a: a.shares.filter((share) => share.scenario === name),
    b: b.shares.filter((share) => share.scenario === name),
  }));
  const difference = (drawn: typeof both): number =>
    ratio(drawn.flatMap((scenario) => scenario.a)) - ratio(drawn.flatMap((scenario) => scenario.b));
  const random = seededRandom(options.seed, 5);
  const draws: number[] = [];
  for (let draw = 0; draw < options.bootstraps; draw++) {
    const value = difference(both.map(() => pick(both, random))) + fitNoise(a, random) - fitNoise(b, random);
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
