/**
 * The paper's splits: whole units are drawn until the test part holds a fifth of the rows. The paper's unit is a
 * scenario with its personas and its pair of agents, all seeds together (450 there: 90 scenarios × 5 pairs of
 * personas). Smaller units leave more of the test part in the training part, larger ones less.
 */
import { groupBy } from '../group-by.ts';
import { seededRandom, shuffled } from '../../numeric/random.ts';
import type { RowLabels } from '../types.ts';

const TEST_SHARE = 0.2;

/** What is drawn as a whole: the paper's unit, a single episode, or a scenario with all of its personas and pairs. */
export type PaperUnit = 'personas' | 'episode' | 'scenario';

/** What a split needs of the rows. */
export type SplitRows = RowLabels & { n: number };

/** For each row 1 (test) or 0 (training). */
export type Split = Uint8Array;

export interface SplitDraw {
  seed: number;
  /** Number of the split. */
  index: number;
  unit?: PaperUnit | undefined;
}

/** Draws one split; undefined if every choice leaves a side empty. */
export function drawPaperSplit(pairs: SplitRows, { seed, index, unit: kind }: SplitDraw): Split | undefined {
  const units = unitsOf(pairs, kind);
  const split = new Uint8Array(pairs.n);
  let drawn = 0;
  for (const unit of shuffled([...units.values()], seededRandom(seed, index))) {
    if (drawn >= TEST_SHARE * pairs.n) break;
    for (const row of unit) split[row] = 1;
    drawn += unit.length;
  }
  return drawn < pairs.n && drawn > 0 ? split : undefined;
}

/** The smallest number of training rows over all splits, of units up to the given ones. */
export function fewestTrainingRows(pairs: SplitRows, splits: number | number[][], unit?: PaperUnit): number {
  if (typeof splits !== 'number')
    return Math.min(
      ...splits.map((test) => pairs.n - splitByEpisodes(pairs.episode, test).filter(Boolean).length),
    );
  const units = unitsOf(pairs, unit);
  const largest = Math.max(...[...units.values()].map(({ length }) => length));
  return Math.floor((1 - TEST_SHARE) * pairs.n) - largest;
}

/** Unit → its rows. */
export function unitsOf(pairs: SplitRows, unit: PaperUnit = 'personas'): Map<string, number[]> {
  const { episode, scenario, setting = scenario, pair } = pairs;
  const names: Record<PaperUnit, (row: number) => string> = {
    personas: (row) => `${scenario[row]}:${pair[row]}`,
    episode: (row) => String(episode[row]),
    scenario: (row) => String(setting[row]),
  };
  return groupBy(scenario.keys(), names[unit]);
}

/** The split whose test part consists of the given episodes. */
export function splitByEpisodes(episode: Int32Array, testEpisodes: readonly number[]): Split {
  const test = new Set(testEpisodes);
  return Uint8Array.from(episode, (label) => (test.has(label) ? 1 : 0));
}
