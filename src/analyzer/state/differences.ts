/** Conditions are compared by a difference with its interval, never by two p-values: `live` minus each control. */
import { deriveSeed } from '../../protocol/seed.ts';
import type { DifferenceReport } from '../../protocol/report.ts';
import { compareScores } from '../../synchrony/stats/bootstrap.ts';
import type { GroupScore } from '../scoring/messages.ts';

const EFFECT = 'live';
const BOOTSTRAPS = 1000;

/** `live` minus every other condition of the same models and direction, where both have a strict score. */
export function differencesOf(scores: readonly GroupScore[]): DifferenceReport[] {
  const strict = scores.filter((score) => score.drawable !== null);
  return strict
    .filter(({ group }) => group.condition === EFFECT)
    .flatMap((live) =>
      strict.filter((other) => comparable(live, other)).flatMap((other) => differenceOf(live, other)),
    );
}

function comparable({ group: live }: GroupScore, { group: other }: GroupScore): boolean {
  return (
    other.condition !== live.condition &&
    other.agents === live.agents &&
    other.sourceRole === live.sourceRole &&
    other.targetRole === live.targetRole &&
    other.source.sha256 === live.source.sha256 &&
    other.target.sha256 === live.target.sha256
  );
}

function differenceOf(live: GroupScore, other: GroupScore): DifferenceReport[] {
  const seed = deriveSeed('difference', live.seed, other.seed);
  if (!live.drawable || !other.drawable) return [];
  const found = compareScores(live.drawable, other.drawable, { bootstraps: BOOTSTRAPS, seed });
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
      against: other.group.condition,
      difference: found.difference,
      ciLow: found.low,
      ciHigh: found.high,
    },
  ];
}
