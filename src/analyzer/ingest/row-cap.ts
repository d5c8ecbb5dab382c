/**
 * Which episodes of a group stay when it has more rows than it may hold: those whose names have the smallest hash. So
 * the choice does not depend
 * on the order of arrival, and a larger recording never takes back an episode that a smaller one had dropped.
 */
import { deriveSeed } from '../../protocol/seed.ts';

/** Rows a group may hold: at 12 layers × 768 dims in float64 about 150 kB each while they are scored. */
export const MAX_ROWS = 4000;

/** How many rows a group over the cap may take in before memory is given back. */
const SLACK_ROWS = 128;

/** A stable label for a name: equal in every run, so that the fold of a scenario never changes. */
export const labelOf = (...names: string[]): number => deriveSeed(...names) >>> 1;

/** The episodes that stay, whole. `sizes`: episode → its rows. */
export function episodesUnderCap(sizes: ReadonlyMap<string, number>, maxRows: number): Set<string> {
  const kept = new Set<string>();
  let taken = 0;
  const byHash = [...sizes]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .sort(([a], [b]) => labelOf('keep', a) - labelOf('keep', b));
  for (const [episode, rows] of byHash) {
    if (taken + rows > maxRows) break;
    taken += rows;
    kept.add(episode);
  }
  return kept;
}

/** Whether a group of this size has just taken in enough rows over the cap to look through them. */
export const isCapDue = (size: number, maxRows: number): boolean => size > maxRows && size % SLACK_ROWS === 0;
