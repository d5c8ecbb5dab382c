/** Counterfactual branches as lines of text: a row for each group, and the sentence that each figure allows. */
import type { BranchReport } from '../../protocol/branch-report.ts';
import type { GroupReport, ScoreReport } from '../../protocol/report.ts';
import { directionOf, distanceNote, layOut } from './score-table.ts';

const HEADER = [
  'branches',
  'direction',
  'turns',
  'influence',
  '95 % interval',
  'matched',
  '95 % interval',
  'p',
  'words',
  'bystander',
  'both',
  'p at any time',
];

/** No lines where no turn has branched. */
export function branchTable({ groups }: ScoreReport): string[] {
  const rows = groups.flatMap((group) => (group.branches ? [branchRow(group, group.branches)] : []));
  return rows.length === 0 ? [] : layOut([HEADER, ...rows]);
}

function branchRow(
  group: GroupReport,
  { histories, influence, matched, sequential }: BranchReport,
): string[] {
  return [
    group.condition,
    `${directionOf(group)}${distanceNote(group)}`,
    String(histories),
    figure(influence?.value),
    interval(influence),
    figure(matched?.score),
    interval(matched),
    probability(matched?.pValue),
    figure(matched?.words),
    figure(matched?.bystander),
    figure(matched?.both),
    probability(sequential?.pValue),
  ];
}

const figure = (value: number | null | undefined): string => value?.toFixed(3) ?? '–';

const interval = (of: { ciLow: number; ciHigh: number } | null | undefined): string =>
  of ? `${of.ciLow.toFixed(3)} … ${of.ciHigh.toFixed(3)}` : '–';

const probability = (value: number | undefined): string =>
  value === undefined ? '–' : value < 0.0005 ? '<0.001' : value.toFixed(3);

/** What each figure allows to say, where one stands; and why one does not. */
export function branchNotes({ groups }: Pick<ScoreReport, 'groups'>): string[] {
  const all = groups.flatMap((group) => (group.branches ? [{ group, branches: group.branches }] : []));
  const acts = all.some(({ branches }) => branches.influence);
  const moves = all.some(({ branches }) => branches.matched);
  const without = all.filter(({ branches }) => branches.reason !== undefined);
  return [
    ...(acts ? [INFLUENCE] : []),
    ...(moves ? [MATCHED] : []),
    ...without.map(
      ({ group, branches }) => `branches of ${group.condition} ${directionOf(group)}: ${branches.reason}`,
    ),
  ];
}

const INFLUENCE =
  'influence: the share of the variance of the target’s state that the source’s choice of words makes: the source acts on the target';
const MATCHED =
  'matched: how much of that movement the source’s own state foretells: the target moves in line with it; only what both adds to the bystander, who has read the same words, is the source’s own';
