/**
 * The paper's splits: whole units (scenario × agent pair, with all seeds) are drawn until the test part holds a
 * fifth of the rows.
 */
import { groupBy } from '../group-by.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { TurnPairs } from '../types.ts';

const TEST_SHARE = 0.2;

/** For each row 1 (test) or 0 (training). */
export type Split = Uint8Array;

/** Draws one split; undefined if every choice leaves a side empty. */
export function drawPaperSplit(pairs: TurnPairs, seed: number, index: number): Split | undefined {
  const rows = Int32Array.from({ length: pairs.n }, (_, row) => row);
  const units = groupBy(rows, (row) => unitOf(pairs, row));
  const split = new Uint8Array(pairs.n);
  let drawn = 0;
  for (const unit of shuffled([...units.values()], seededRandom(seed, index))) {
    if (drawn >= TEST_SHARE * pairs.n) break;
    for (const row of unit) split[row] = 1;
    drawn += unit.length;
  }
  return drawn < pairs.n && drawn > 0 ? split : undefined;
}

/** The smallest number of training rows over all splits. */
export function fewestTrainingRows(pairs: TurnPairs, splits: number | number[][]): number {
  if (typeof splits !== 'number')
    return Math.min(
      ...splits.map((test) => pairs.n - splitByEpisodes(pairs.episode, test).filter(Boolean).length),
    );
  const units = groupBy(pairs.scenario.keys(), (row) => unitOf(pairs, row));
  const largest = Math.max(...[...units.values()].map(({ length }) => length));
  return Math.floor((1 - TEST_SHARE) * pairs.n) - largest;
}

const unitOf = (pairs: TurnPairs, row: number): string => `${pairs.scenario[row]}:${pairs.pair[row]}`;

/** The split whose test part consists of the given episodes. */
export function splitByEpisodes(episode: Int32Array, testEpisodes: readonly number[]): Split {
  const test = new Set(testEpisodes);
  return Uint8Array.from(episode, (label) => (test.has(label) ? 1 : 0));
}
