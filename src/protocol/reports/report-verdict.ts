/** What the figures of a report allow one to say, in a sentence; and how names stand in it. */
import type { Study } from '../study.ts';
import { verdictOf, type Verdict, type VerdictGroup, type VerdictInput } from '../verdict.ts';
import type { ScoreReport } from './score-report.ts';

export function reportVerdict(
  { groups, provisional }: Pick<ScoreReport, 'groups' | 'provisional'>,
  nameOf?: VerdictInput['nameOf'],
): Verdict {
  return verdictOf({ groups: groups.map(verdictGroup), provisional, nameOf });
}

function verdictGroup(group: ScoreReport['groups'][number]): VerdictGroup {
  const { condition, agents, sourceRole, targetRole, branches, strict, verdict, reason } = group;
  const found = branches?.influence;
  return {
    condition,
    agents,
    sourceRole,
    targetRole,
    influence: found ? { value: found.value, low: found.ciLow, high: found.ciHigh } : null,
    sequentialP: branches?.sequential?.pValue ?? null,
    histories: branches?.histories ?? 0,
    excess: strict && { value: strict.excess, low: strict.ciLow, high: strict.ciHigh, verdict },
    reason,
  };
}

/** The names of a study's agents in their places; none where several pairs share the places. */
export function namesIn({ pairs, reader }: Pick<Study, 'pairs' | 'reader'>): VerdictInput['nameOf'] {
  const [order, ...others] = pairs;
  if (!order || others.length > 0) return undefined;
  return (condition, role) =>
    condition === 'reader' && role === order.length && reader !== undefined ? reader : order[role - 1];
}
