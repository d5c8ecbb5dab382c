/**
 * Do real dyads go together more than pseudo-dyads, made of members of different dyads?
 * Formula: for values v[i, j] of first member i with second member j,
 *   excess = mean v[i, i] − mean over i ≠ j of v[i, j].
 * p is the share of permutations π, the given one among them, with mean v[i, π(i)] at least mean v[i, i]: whole
 * recordings change partners, so each keeps its own structure. Interval by the jackknife over dyads, each left out
 * with its row and its column.
 * Range: p from 1 / n!, or 1 / (1 + draws), to 1.
 * Reference: Kenny, Kashy, Cook, 2006 (pseudo-couple analysis); Phipson, Smyth, 2010.
 * No number: fewer than four dyads, or a value that is not finite.
 */
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { Interval, NoScore } from '../types.ts';
import { jackknife, meanOf } from './jackknife.ts';

export interface PartnerPermutation {
  real: number;
  pseudo: number;
  excess: number;
  interval: Interval;
  /** One-sided: real dyads go together more. */
  pValue: number;
  permutations: number;
  /** Every order of partners was taken. */
  exact: boolean;
}

const FEWEST_DYADS = 4;
/** A sum that differs by rounding alone is no smaller one. */
const ROUNDING = 1e-12;

/** @param values [n, n]: row a first member, column a second one */
export function partnerPermutation(
  values: readonly (readonly number[])[],
  { draws, seed }: { draws: number; seed: number },
): PartnerPermutation | NoScore {
  const n = values.length;
  if (n < FEWEST_DYADS) return { reason: `changing partners takes ${FEWEST_DYADS} dyads, there are ${n}` };
  if (values.some((row) => row.length !== n || !row.every(Number.isFinite)))
    return { reason: 'a pair of members has no finite value' };
  const at = (i: number, j: number): number => values[i]?.[j] as number;
  const meanUnder = (order: readonly number[]): number => meanOf(order.map((j, i) => at(i, j)));
  const given = Array.from({ length: n }, (_, i) => i);
  const count = factorialUpTo(n, draws);
  const orders = count === undefined ? drawn(given, draws, seed) : allOrders(given);
  const real = meanUnder(given);
  const scale = Math.max(...values.flat().map(Math.abs));
  const large = orders.filter((order) => meanUnder(order) >= real - ROUNDING * scale).length;
  const excessOf = (members: readonly number[]): number =>
    meanOf(members.map((i) => at(i, i))) -
    meanOf(members.flatMap((i) => members.filter((j) => j !== i).map((j) => at(i, j))));
  const excess = excessOf(given);
  const replicates = given.map((scenario) => ({
    scenario,
    excess: excessOf(given.filter((i) => i !== scenario)),
  }));
  const interval = jackknife([{ excess, replicates }], meanOf);
  if ('reason' in interval) return interval;
  return {
    real,
    pseudo: real - excess,
    excess,
    interval: { low: interval.low, high: interval.high },
    pValue: large / orders.length,
    permutations: orders.length,
    exact: count !== undefined,
  };
}

/** n! where it is at most `most`. */
function factorialUpTo(n: number, most: number): number | undefined {
  let product = 1;
  for (let factor = 2; factor <= n; factor++) {
    product *= factor;
    if (product > most) return undefined;
  }
  return product;
}

const drawn = (given: readonly number[], draws: number, seed: number): number[][] => {
  const random = seededRandom(seed, 23);
  return [[...given], ...Array.from({ length: draws }, () => shuffled(given, random))];
};

/** All orders, the given one first. */
export function allOrders(items: readonly number[]): number[][] {
  if (items.length <= 1) return [[...items]];
  return items.flatMap((item) =>
    allOrders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}
