/** The line of a pair again: from the full scores of its groups, as they came out when they were computed again. */
import { pairReport, pairsOf } from '../analyzer/state/pair-means.ts';
import type { GroupScore, PairScore } from '../analyzer/scoring/messages.ts';
import { replayFields } from './replay-fields.ts';

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
  const again = pairReport(pair);
  const difference = replayFields(['figures', 'samples', 'paper', 'strict'], { again, published });
  return difference && `${name}: ${difference}`;
}
