/** The line of a pair again: from the full scores of its groups, as they came out when they were computed again. */
import { isDeepStrictEqual } from 'node:util';
import { pairReport, pairsOf } from '../pair-means.ts';
import type { GroupScore, PairScore } from '../score-messages.ts';

/** What differs, as a sentence; undefined when nothing does. */
export function replayPair(
  published: PairScore,
  replayed: ReadonlyMap<string, GroupScore>,
): string | undefined {
  const name = `pair ${published.pair}, ${published.samples} samples`;
  const members = Object.entries(published.of).flatMap(([group, version]) => {
    const score = replayed.get(group);
    return score?.version === version ? [score] : [];
  });
  const [pair, ...others] = pairsOf(members);
  if (!pair || others.length > 0 || members.length < Object.keys(published.of).length)
    return `${name}: the full scores that it was computed from are not there`;
  const again = JSON.parse(JSON.stringify(pairReport(pair))) as Partial<PairScore>;
  for (const field of ['figures', 'samples', 'paper', 'strict'] as const)
    if (!isDeepStrictEqual(again[field], published[field]))
      return `${name}: ${field} was published as ${JSON.stringify(published[field])} and comes out as ${JSON.stringify(again[field])}`;
  return undefined;
}
