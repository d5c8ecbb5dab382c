/**
 * Permutations of episodes within their scenarios. A scenario with many episodes is divided into strata of at most six,
 * and episodes are permuted within their stratum. The test stays exact, and the products of any two episodes with any
 * two of the stratum can be computed beforehand.
 */
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { Blocks } from './blocks.ts';

/** Episodes of one scenario that are permuted with one another; turn t of episode e is row start + e · turns + t. */
export interface Stratum {
  scenario: number;
  start: number;
  episodes: number;
  turns: number;
}

/** For each stratum: which of its episodes replaces each of them. */
export type Permutation = number[][];

export interface PermutedRows {
  strata: readonly Stratum[];
  /** The first must be the identity. */
  permutations: readonly Permutation[];
}

const LARGEST_STRATUM = 6;

export function strataOf({ blocks }: Blocks): Stratum[] {
  return blocks.flatMap(({ scenario, start, episodes, turns }) => {
    const count = Math.ceil(episodes / LARGEST_STRATUM);
    const cut = (at: number): number => Math.round((at * episodes) / count);
    return Array.from({ length: count }, (_, at) => ({
      scenario,
      start: start + cut(at) * turns,
      episodes: cut(at + 1) - cut(at),
      turns,
    }));
  });
}

/** `count` random permutations, after the identity. */
export function drawPermutations(strata: readonly Stratum[], count: number, seed: number): Permutation[] {
  const random = seededRandom(seed, 3);
  const places = strata.map(({ episodes }) => [...Array(episodes).keys()]);
  return Array.from({ length: count + 1 }, (_, draw) =>
    places.map((order) => (draw === 0 ? order : shuffled(order, random))),
  );
}

/** The smallest p-value is then 0.005. */
export const FEWEST_PERMUTATIONS = 199;
const MOST = 19_999;

/**
 * Number of permutations with which the smallest p-value is 0.05 / groups, so that one group among so many can reach
 * q = 0.05.
 */
export const permutationsFor = (groups: number): number =>
  Math.min(MOST, Math.max(FEWEST_PERMUTATIONS, 20 * groups - 1));
