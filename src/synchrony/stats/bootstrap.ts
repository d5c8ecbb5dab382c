/** Intervals by bootstrap over scenarios: of one excess, and of the difference between two conditions. */
import { seededRandom, type Random } from '../../numeric/random.ts';
import type { Interval, NoScore, ScenarioShare, StrictScore } from '../types.ts';

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
  const noise = fitNoise(score);
  const draws = Array.from(
    { length: options.bootstraps },
    () => ratio(shares.map(() => pick(shares, random))) + noise(random),
  );
  return widened(draws, ratio(shares), shares.length);
}

function pick<T>(items: readonly T[], random: Random): T {
  return items[random.below(items.length)] as T;
}

/** Draws the deviation of one exchange. */
function fitNoise({ nullScores }: Drawable): (random: Random) => number {
  const deviations = deviationsOf(nullScores);
  return deviations.length === 0 ? () => 0 : (random) => pick(deviations, random);
}

function deviationsOf(scores: readonly number[]): number[] {
  const middle = mean(scores);
  return scores.map((score) => score - middle);
}

export interface Difference extends Interval {
  difference: number;
}

/** a − b with its interval; scenarios that both conditions have are drawn together. */
export function compareScores(a: Drawable, b: Drawable, options: BootstrapOptions): Difference | NoScore {
  if (a.shares.length === 0 || b.shares.length === 0) return { reason: 'a condition has no scenario' };
  const [noiseOfA, noiseOfB] = [fitNoise(a), fitNoise(b)];
  const { estimate, ...interval } = drawTogether([a, b], {
    ...options,
    random: seededRandom(options.seed, 5),
    combine: ([first = NaN, second = NaN]) => first - second,
    noise: (random) => noiseOfA(random) - noiseOfB(random),
  });
  return { difference: estimate, ...interval };
}

export interface Average extends Interval {
  excess: number;
}

/**
 * The mean of several excesses with its interval. Scenarios that they share are drawn together, and the deviations of their nulls at one rank:
 * how the fits of two directions hang together is not known, and of all ways they might this makes the mean vary most.
 */
export function averageScores(scores: readonly Drawable[], options: BootstrapOptions): Average | NoScore {
  if (scores.length === 0) return { reason: 'there is no score' };
  if (scores.some(({ shares }) => shares.length === 0)) return { reason: 'a score has no scenario' };
  const ranked = scores.map(({ nullScores }) => deviationsOf(nullScores.toSorted((a, b) => a - b)));
  const { estimate, ...interval } = drawTogether(scores, {
    ...options,
    random: seededRandom(options.seed, 6),
    combine: mean,
    noise: (random) => noiseAtRank(ranked, random.uniform()),
  });
  return { excess: estimate, ...interval };
}

/** @param rank in [0, 1), of each null's sorted deviations */
function noiseAtRank(ranked: readonly number[][], rank: number): number {
  return mean(ranked.map((deviations) => deviations[Math.floor(rank * deviations.length)] ?? 0));
}

interface JointDraw extends BootstrapOptions {
  random: Random;
  /** From the excess of each score to the figure. */
  combine(excesses: number[]): number;
  noise(random: Random): number;
}

/** A figure of several scores over scenarios that are drawn for all of them at once. */
function drawTogether(
  scores: readonly Drawable[],
  { random, combine, noise, bootstraps }: JointDraw,
): Interval & { estimate: number } {
  const names = [...new Set(scores.flatMap(({ shares }) => shares.map(({ scenario }) => scenario)))];
  const scenarios = names.map((name) =>
    scores.map(({ shares }) => summed(shares.filter(({ scenario }) => scenario === name))),
  );
  const figure = (drawn: typeof scenarios): number =>
    combine(scores.map((_, at) => ratio(drawn.map((scenario) => scenario[at] as Share))));
  const draws: number[] = [];
  for (let draw = 0; draw < bootstraps; draw++) {
    const value = figure(scenarios.map(() => pick(scenarios, random))) + noise(random);
    if (Number.isFinite(value)) draws.push(value);
  }
  const estimate = figure(scenarios);
  return { estimate, ...widened(draws, estimate, Math.min(...scores.map(({ shares }) => shares.length))) };
}

function mean(values: Iterable<number>): number {
  let [sum, count] = [0, 0];
  for (const value of values) [sum, count] = [sum + value, count + 1];
  return sum / count;
}

type Share = Pick<ScenarioShare, 'excess' | 'total'>;

function summed(shares: readonly Share[]): Share {
  const sum = { excess: 0, total: 0 };
  for (const { excess, total } of shares) {
    sum.excess += excess;
    sum.total += total;
  }
  return sum;
}

function ratio(shares: readonly Share[]): number {
  const { excess, total } = summed(shares);
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
