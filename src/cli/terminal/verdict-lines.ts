/** What the figures allow one to say, in a sentence, as the viewer says it; and how names stand in it. */
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import type { Study } from '../../protocol/study.ts';
import { verdictOf, type Verdict, type VerdictGroup, type VerdictInput } from '../../protocol/verdict.ts';
import { wrapWords } from './wrap-words.ts';

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

/** The sentence first, what stands behind it below. */
export function verdictLines({ claim, evidence, caveat }: Verdict, width = Infinity): string[] {
  const lines = [claim, ...evidence.map((text) => `  ${text}`), ...(caveat === '' ? [] : [caveat])];
  return lines.flatMap((text) => wrapWords(text, { width, indent: text.startsWith(' ') ? 4 : 0 }));
}
