/**
 * Chooses the episodes that a group keeps when it has more rows than allowed: those whose names have the smallest
 * hashes. The choice does not depend on the order of arrival, and an episode that was dropped never comes back when
 * the recording grows.
 */
import { deriveSeed } from '../../protocol/seed.ts';

/** Most rows of a group; at 12 layers × 768 dims a row takes about 150 kB in float64 while it is scored. */
export const MAX_ROWS = 4000;

/** Number of rows above the limit that a group may take in before memory is freed. */
const SLACK_ROWS = 128;

/** A stable label for a name, equal in every run, so that a scenario is always in the same fold. */
export const labelOf = (...names: string[]): number => deriveSeed(...names) >>> 1;

/** The whole episodes that stay. `sizes`: episode → number of rows. */
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

/** Whether a group of this size has taken in enough rows above the limit to be checked again. */
export const isCapDue = (size: number, maxRows: number): boolean => size > maxRows && size % SLACK_ROWS === 0;
