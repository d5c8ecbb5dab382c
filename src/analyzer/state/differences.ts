/**
 * Compares conditions by a difference with interval and p-value, never by two p-values: `live` minus each control.
 */
import type { DifferenceReport, PairDifferenceReport } from '../../protocol/reports/score-report.ts';
import {
  differenceOf,
  jackknife,
  meanOf,
  type Estimate,
  type Jackknifed,
} from '../../synchrony/stats/jackknife.ts';
import { distanceOf } from '../ingest/episode-index.ts';
import { pairKey, pairsOf, placeOf, type Pair, type PairMember } from './pair-means.ts';

const EFFECT = 'live';

/** A group with a strict score. */
type Scored = Pick<PairMember, 'group'> & Jackknifed;

const scoredOf = ({ group, strict, replicates }: PairMember): Scored[] =>
  strict && replicates ? [{ group, excess: strict.excess, replicates }] : [];

/** `live` minus every other condition of the same models and places, if both have a strict score. */
export function differencesOf(members: readonly PairMember[]): DifferenceReport[] {
  const scored = members.flatMap(scoredOf);
  const isSame = ({ group: live }: Scored, { group: other }: Scored): boolean =>
    other.condition !== live.condition &&
    other.agents === live.agents &&
    other.sourceRole === live.sourceRole &&
    other.targetRole === live.targetRole &&
    other.source.sha256 === live.source.sha256 &&
    other.target.sha256 === live.target.sha256;
  return scored
    .filter(({ group }) => group.condition === EFFECT)
    .flatMap((live) =>
      scored.filter((other) => isSame(live, other)).flatMap((other) => reportOf(live, other)),
    );
}

function reportOf(live: Scored, other: Scored): DifferenceReport[] {
  const found = jackknife([live, other], differenceOf);
  if ('reason' in found) return [];
  const { source, target, direction, condition, agents, sourceRole, targetRole } = live.group;
  return [
    {
      sourceModel: source.name,
      targetModel: target.name,
      direction,
      condition,
      agents,
      sourceRole,
      targetRole,
      distance: distanceOf(live.group),
      against: other.group.condition,
      ...figuresOf(found),
    },
  ];
}

const figuresOf = ({ estimate, low, high, pValue }: Estimate) => ({
  difference: estimate,
  ciLow: low,
  ciHigh: high,
  pValue,
});

/** Differences of pairs: the mean over both directions and speaking orders in `live` minus that in a control. */
export function pairDifferencesOf(members: readonly PairMember[]): PairDifferenceReport[] {
  const pairs = pairsOf(members);
  const nameless = ({ members: [first] }: Pair): string =>
    first ? pairKey({ ...first.group, condition: '' }) : '';
  return pairs.filter(isEffect).flatMap((live) =>
    pairs
      .filter((other) => !isEffect(other) && nameless(other) === nameless(live))
      .flatMap((other) => {
        const [a, b] = [live.members.flatMap(scoredOf), other.members.flatMap(scoredOf)];
        if (a.length < live.members.length || b.length < other.members.length || a.length !== b.length)
          return [];
        const found = jackknife([...a, ...b], (excesses) =>
          differenceOf([meanOf(excesses.slice(0, a.length)), meanOf(excesses.slice(a.length))]),
        );
        if ('reason' in found) return [];
        const { modelA, modelB, roleA, roleB, condition } = placeOf(live);
        const against = placeOf(other).condition;
        return [{ modelA, modelB, roleA, roleB, condition, against, ...figuresOf(found) }];
      }),
  );
}

const isEffect = ({ members }: Pair): boolean => members[0]?.group.condition === EFFECT;
