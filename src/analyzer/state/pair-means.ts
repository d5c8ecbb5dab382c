/**
 * Means over both directions and both speaking orders, as in the paper. A pair is a condition, the models of two
 * places and the places; their order has no meaning.
 *
 *   models m, n speak in both orders:  m 1→2 n · n 2→1 m · n 1→2 m · m 2→1 n   four figures
 *   one order alone, or one model:     m 1→2 n · n 2→1 m                       two figures
 *
 * With one model, each of the two figures pools both speaking orders.
 */
import type { ModelRef } from '../../protocol/stream/frames.ts';
import type {
  DistanceReport,
  PairPaperReport,
  PairReport,
  PairStrictReport,
} from '../../protocol/reports/score-report.ts';
import { jackknife, meanOf } from '../../synchrony/stats/jackknife.ts';
import type { Replicate } from '../../synchrony/types.ts';
import { groupBy } from '../../synchrony/group-by.ts';
import { distanceOf, type Group } from '../ingest/episode-index.ts';

/** What a group contributes to its pair. */
export interface PairMember {
  group: Group;
  seed: number;
  samples: number;
  paper: PairPaperReport | null;
  strict: { score: number; excess: number; nullMean: number } | null;
  /** The strict excess without each scenario. */
  replicates: readonly Replicate[] | null;
  /** Why there is no score, or no strict score. */
  reason?: string | undefined;
}

/** Members of one pair, in an order that does not depend on order of arrival. */
export interface Pair {
  key: string;
  members: PairMember[];
}

export function pairKey({ condition, agents, sourceRole, targetRole, source, target }: Group): string {
  const places = [sourceRole, targetRole].toSorted((a, b) => a - b);
  return [condition, agents, ...places, ...[source, target].map(nameOf).sort()].join('|');
}

export function pairsOf(members: readonly PairMember[]): Pair[] {
  const two = members.filter(({ group }) => group.agents === 2);
  const pairs = groupBy(two, ({ group }) => pairKey(group));
  return [...pairs].map(([key, own]) => ({
    key,
    members: own.toSorted((a, b) => (a.group.key < b.group.key ? -1 : 1)),
  }));
}

export function pairReport(pair: Pair): PairReport {
  const paper = pairPaper(pair);
  const strict = pairStrict(pair);
  const reason = [strict, paper].flatMap((part) => ('reason' in part ? [part.reason] : []))[0];
  return {
    ...placeOf(pair),
    paper: 'reason' in paper ? null : paper,
    strict: 'reason' in strict ? null : strict,
    ...(reason === undefined ? {} : { reason }),
  };
}

interface Lacking {
  reason: string;
}

/** The arithmetic mean of the directions' SyncR², which are clipped, unlike the mean. */
export function pairPaper({ members }: Pair): PairPaperReport | Lacking {
  const reports = members.flatMap(({ paper }) => (paper ? [paper] : []));
  const lacking = lackingIn(members, ({ paper }) => paper);
  if (lacking !== undefined) return { reason: lacking };
  const meanOfNulls = (of: 'nullMean' | 'pseudoMean'): number | null => {
    const values = reports.map((report) => report[of]).filter((value) => value !== null);
    return values.length < reports.length ? null : meanOf(values);
  };
  return {
    score: meanOf(reports.map(({ score }) => score)),
    unclipped: meanOf(reports.map(({ unclipped }) => unclipped)),
    nullMean: meanOfNulls('nullMean'),
    pseudoMean: meanOfNulls('pseudoMean'),
  };
}

/** The means without a p-value: each direction permutes its episodes by its own draws, so there is no joint null. */
export function pairStrict({ members }: Pair): PairStrictReport | Lacking {
  const lacking = lackingIn(members, ({ strict, replicates }) => strict && replicates);
  if (lacking !== undefined) return { reason: lacking };
  const reports = members.flatMap(({ strict, replicates }) =>
    strict && replicates ? [{ ...strict, replicates }] : [],
  );
  const found = jackknife(reports, meanOf);
  if ('reason' in found) return found;
  return {
    score: meanOf(reports.map(({ score }) => score)),
    excess: found.estimate,
    nullMean: meanOf(reports.map(({ nullMean }) => nullMean)),
    ciLow: found.low,
    ciHigh: found.high,
  };
}

/** Which directions lack a figure, so that the mean would be over some directions only; undefined if none does. */
function lackingIn(members: PairMember[], figure: (member: PairMember) => unknown): string | undefined {
  for (const { group } of members)
    if (!members.some((other) => isReverse(other.group, group)))
      return `No turn pair yet of ${directionOf({ ...group, source: group.target, target: group.source, sourceRole: group.targetRole, targetRole: group.sourceRole })}.`;
  const without = members.find((member) => !figure(member));
  return without && `${directionOf(without.group)}: ${without.reason ?? 'Not computed yet.'}`;
}

function isReverse(a: Group, b: Group): boolean {
  const turned = [b.targetRole, b.sourceRole, nameOf(b.target), nameOf(b.source)];
  return [a.sourceRole, a.targetRole, nameOf(a.source), nameOf(a.target)].join() === turned.join();
}

type Place = Pick<Group, 'source' | 'target' | 'sourceRole' | 'targetRole'>;

const directionOf = ({ source, target, sourceRole, targetRole }: Place): string =>
  `${source.name} as speaker ${sourceRole} → ${target.name} as speaker ${targetRole}`;

/**
 * For more than two agents: the mean excess over the scored groups of each condition and distance, sorted by
 * condition.
 */
export function distancesOf(members: readonly PairMember[]): DistanceReport[] {
  const larger = members.filter(({ group, strict, replicates }) => group.agents > 2 && strict && replicates);
  const byDistance = groupBy(larger, ({ group }) =>
    [group.condition, group.agents, distanceOf(group)].join('|'),
  );
  return [...byDistance]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, own]) => {
      const scores = own.map(({ strict, replicates }) => ({
        excess: strict?.excess ?? 0,
        replicates: replicates ?? [],
      }));
      const found = jackknife(scores, meanOf);
      const [first] = own;
      if ('reason' in found || !first) return [];
      const { condition, agents } = first.group;
      const figures = { excess: found.estimate, ciLow: found.low, ciHigh: found.high };
      return [{ condition, agents, distance: distanceOf(first.group), figures: own.length, ...figures }];
    });
}

/** Name of a pair, and the number of its groups and turn pairs. */
export function placeOf({ members }: Pair): Omit<PairReport, 'paper' | 'strict' | 'reason'> {
  const { condition, agents, sourceRole, targetRole, source, target } = (members[0] as PairMember).group;
  const [modelA, modelB] = [source.name, target.name].sort() as [string, string];
  return {
    modelA,
    modelB,
    roleA: Math.min(sourceRole, targetRole),
    roleB: Math.max(sourceRole, targetRole),
    condition,
    agents,
    figures: members.length,
    samples: members.reduce((sum, { samples }) => sum + samples, 0),
  };
}

const nameOf = ({ name, sha256 }: ModelRef): string => `${name} ${sha256}`;
