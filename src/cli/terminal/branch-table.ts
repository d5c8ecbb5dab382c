/** Counterfactual branches as lines of text: a row for each group, and the sentence that each figure allows. */
import type { BranchReport, PatchReport } from '../../protocol/reports/branch-report.ts';
import type { GroupReport, ScoreReport } from '../../protocol/reports/score-report.ts';
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

/** Without --verbose: as many columns as a window of 80 holds. */
const SHORT_HEADER = ['branches', 'direction', 'turns', 'influence', '95 %', 'matched', 'p', 'anytime p'];

/** No lines where no turn has branched. */
export function branchTable({ groups }: ScoreReport, isVerbose = true): string[] {
  const row = isVerbose ? branchRow : shortRow;
  const rows = groups.flatMap((group) => (group.branches ? [row(group, group.branches)] : []));
  return rows.length === 0 ? [] : layOut([isVerbose ? HEADER : SHORT_HEADER, ...rows]);
}

function shortRow(group: GroupReport, { histories, influence, matched, sequential }: BranchReport): string[] {
  return [
    group.condition,
    `${directionOf(group)}${distanceNote(group)}`,
    String(histories),
    figure(influence?.value),
    influence ? `[${influence.ciLow.toFixed(2)}, ${influence.ciHigh.toFixed(2)}]` : '–',
    figure(matched?.score),
    probability(matched?.pValue),
    probability(sequential?.pValue),
  ];
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

const PATCH_HEADER = [
  'patching',
  'direction',
  'layer',
  'size',
  'turns',
  'utterances',
  'influence',
  '95 % interval',
  'follows',
  '95 % interval',
  'p',
];

/** A row for each layer and size at which the speaker's state was moved; no lines where none was. */
export function patchTable({ groups }: Pick<ScoreReport, 'groups'>): string[] {
  const rows = groups.flatMap((group) =>
    (group.branches?.patches ?? []).map((patch) => patchRow(group, patch)),
  );
  return rows.length === 0 ? [] : layOut([PATCH_HEADER, ...rows]);
}

function patchRow(group: GroupReport, patch: PatchReport): string[] {
  const { layer, size, histories, branches, distinct, influence, follows } = patch;
  return [
    group.condition,
    `${directionOf(group)}${distanceNote(group)}`,
    String(layer),
    sizeText(size),
    String(histories),
    `${distinct.toFixed(1)} of ${Math.round(branches / Math.max(1, histories))}`,
    figure(influence?.value),
    interval(influence),
    figure(follows?.score),
    interval(follows),
    probability(follows?.pValue),
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
  const moved = all.some(({ branches }) => branches.patches?.some(({ influence }) => influence));
  const without = all.filter(({ branches }) => branches.reason !== undefined);
  return [
    ...(acts ? [INFLUENCE] : []),
    ...(moves ? [MATCHED] : []),
    ...(moved ? [PATCHED] : []),
    ...all.flatMap(({ group, branches }) => patchReasons(group, branches)),
    ...without.map(
      ({ group, branches }) => `branches of ${group.condition} ${directionOf(group)}: ${branches.reason}`,
    ),
  ];
}

/** A replaced state has no size. */
const sizeText = (size: number | undefined): string => (size === undefined ? 'exchanged' : `${size} SD`);

/** Each reason once, with the layers and sizes that have it. */
function patchReasons(group: GroupReport, { patches = [] }: BranchReport): string[] {
  const reasons = new Map<string, string[]>();
  for (const { layer, size, reason } of patches)
    if (reason !== undefined)
      reasons.set(reason, [...(reasons.get(reason) ?? []), `${layer} (${sizeText(size)})`]);
  return [...reasons].map(
    ([reason, places]) =>
      `patching of ${group.condition} ${directionOf(group)}, layer ${places.join(', ')}: ${reason}`,
  );
}

const PATCHED =
  'patching: the source’s state before it speaks is moved at one layer by so many standard deviations, or exchanged for that of another episode; influence: the share of the variance of the target’s state that this makes, whatever the direction; follows: how much of the movement the direction predicts, or the map from natural states: with both, the source’s state is a cause of the target’s';
const INFLUENCE =
  'influence: the share of the variance of the target’s state that the source’s choice of words makes: the source acts on the target';
const MATCHED =
  'matched: how much of that movement the source’s own state predicts: the target moves in line with it; only what both adds to the bystander, who has read the same words, is the source’s own';
