/** Recomputes lines of pairs and of differences from the recomputed scores of their groups. */
import { differencesOf, pairDifferencesOf } from '../analyzer/state/differences.ts';
import { pairReport, pairsOf } from '../analyzer/state/pair-means.ts';
import type { DifferenceScore, GroupScore, PairScore } from '../analyzer/scoring/messages.ts';
import { replayFields } from './replay-fields.ts';

type Replayed = ReadonlyMap<string, GroupScore>;

/**
 * What differs, as a sentence; undefined if nothing does. `own`: whether this version has the method of the
 * strict figures.
 */
export function replayPair(published: PairScore, replayed: Replayed, own: boolean): string | undefined {
  const name = `pair ${published.pair}, ${published.samples} samples`;
  const members = membersOf(published, replayed);
  const [pair, ...others] = pairsOf(members ?? []);
  if (!pair || others.length > 0) return `${name}: the full scores that it was computed from are not there`;
  const fields = ['figures', 'samples', 'paper', ...(own ? (['strict'] as const) : [])] as const;
  const difference = replayFields(fields, { again: pairReport(pair), published });
  return difference && `${name}: ${difference}`;
}

/** The recomputed scores of the groups that a line names; undefined if one of them is missing. */
function membersOf({ of }: Pick<PairScore, 'of'>, replayed: Replayed): GroupScore[] | undefined {
  const members = Object.entries(of).map(([group, version]) => {
    const score = replayed.get(group);
    return score?.version === version ? score : undefined;
  });
  const found = members.flatMap((score) => (score ? [score] : []));
  return found.length < members.length ? undefined : found;
}

export function differenceName(line: DifferenceScore): string {
  const place =
    line.between === 'pairs'
      ? [line.modelA, line.modelB, line.roleA, line.roleB]
      : [line.sourceModel, line.targetModel, line.agents, line.sourceRole, line.targetRole];
  return `difference of ${line.between}, ${line.condition} − ${line.against}, ${place.join(' ')}`;
}

export function replayDifference(published: DifferenceScore, replayed: Replayed): string | undefined {
  const name = differenceName(published);
  const members = [...replayed.values()];
  const line = {
    type: 'difference',
    run: published.run,
    method: published.method,
    of: published.of,
  } as const;
  const all: DifferenceScore[] = [
    ...differencesOf(members).map((one): DifferenceScore => ({ ...line, between: 'dyads', ...one })),
    ...pairDifferencesOf(members).map((one): DifferenceScore => ({ ...line, between: 'pairs', ...one })),
  ];
  const again = all.find((one) => differenceName(one) === name);
  if (!again) return `${name}: the full scores that it was computed from are not there`;
  const difference = replayFields(['difference', 'ciLow', 'ciHigh', 'pValue'], { again, published });
  return difference && `${name}: ${difference}`;
}
