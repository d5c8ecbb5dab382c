/**
 * The pairs of a run: their reports, made again only after a full score of theirs or a new group, and their lines in
 * `scores.jsonl`.
 */
import type { PairReport } from '../../protocol/reports/score-report.ts';
import type { Group } from '../ingest/episode-index.ts';
import { pairKey, pairReport, pairsOf, type Pair, type PairMember } from './pair-means.ts';
import { STRICT_METHOD } from '../../synchrony/strict/strict-score.ts';
import type { DifferenceScore, GroupScore, PairScore } from '../scoring/messages.ts';
import { differencesOf, pairDifferencesOf } from './differences.ts';

/** The part of a run's state from which pairs are made. */
export interface PairSources {
  run: string;
  groups: ReadonlyMap<string, { group: Group; score: GroupScore | undefined }>;
  /** Key of a pair → its current report. */
  pairs: Map<string, PairReport>;
}

/** `live` first, then by name. */
export function pairReports(state: PairSources): PairReport[] {
  return allPairs(state)
    .map((pair) => reportNow(state, pair))
    .toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1));
}

/** Drops the report of the pair to which this group belongs. */
export function renewPair({ pairs }: PairSources, group: Group): void {
  pairs.delete(pairKey(group));
}

/** Lines of all pairs with a figure, or only of the group's pair. */
export function pairScores(state: PairSources, group?: Group): PairScore[] {
  const wanted = group && pairKey(group);
  return allPairs(state)
    .filter(({ key }) => wanted === undefined || key === wanted)
    .flatMap((pair) => {
      const report = reportNow(state, pair);
      if (!report.paper && !report.strict) return [];
      const versions = pair.members.map(({ group: { key } }): [string, number] => [
        key,
        state.groups.get(key)?.score?.version ?? 0,
      ]);
      return [
        {
          type: 'pair',
          run: state.run,
          method: STRICT_METHOD,
          pair: pair.key,
          of: Object.fromEntries(versions),
          ...report,
        },
      ];
    });
}

/** Lines of differences between conditions, of dyads and of pairs, each with the versions of its scores. */
export function differenceScores({ run, groups }: PairSources): DifferenceScore[] {
  const members = [...groups.values()].map(memberOf);
  const of = Object.fromEntries([...groups].map(([key, { score }]) => [key, score?.version ?? 0]));
  const line = { type: 'difference', run, method: STRICT_METHOD, of } as const;
  return [
    ...differencesOf(members).map((report): DifferenceScore => ({ ...line, between: 'dyads', ...report })),
    ...pairDifferencesOf(members).map((report): DifferenceScore => ({
      ...line,
      between: 'pairs',
      ...report,
    })),
  ];
}

const allPairs = ({ groups }: PairSources): Pair[] => pairsOf([...groups.values()].map(memberOf));

export function memberOf({ group, score }: { group: Group; score: GroupScore | undefined }): PairMember {
  return score ?? { group, seed: 0, samples: 0, paper: null, strict: null, replicates: null };
}

function reportNow({ pairs }: PairSources, pair: Pair): PairReport {
  const report = pairs.get(pair.key) ?? pairReport(pair);
  pairs.set(pair.key, report);
  return report;
}

const rankOf = (report: PairReport): string => {
  const { condition, agents, roleA, roleB, modelA, modelB } = report;
  return [condition === 'live' ? 0 : 1, condition, agents, roleA, roleB, modelA, modelB].join('|');
};
