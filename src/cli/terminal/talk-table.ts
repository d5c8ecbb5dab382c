/**
 * What the talk behind the scores was like, as lines of text: a row for each group, and what makes a score meaningless.
 */
import type { GroupReport, ScoreReport } from '../../protocol/reports/score-report.ts';
import type { TalkFault, TalkReport } from '../../protocol/reports/talk-report.ts';
import { directionOf, distanceNote, layOut } from './score-table.ts';

const HEADER = [
  'talk',
  'direction',
  'utterances',
  'empty',
  'repeated',
  'copied',
  'same in another episode',
  'cut',
  'memory shortened',
];

/** No lines where no sender has described its talk. */
export function talkTable({ groups }: ScoreReport): string[] {
  const rows = groups.flatMap((group) => (group.talk ? [talkRow(group, group.talk)] : []));
  return rows.length === 0 ? [] : layOut([HEADER, ...rows]);
}

const talkRow = (group: GroupReport, talk: TalkReport): string[] => [
  group.condition,
  placeOf(group),
  ...[talk.pairs, talk.empty, talk.repeated, talk.copied, talk.identical, talk.cut, talk.shortened].map(
    String,
  ),
];

const placeOf = (group: GroupReport): string => `${directionOf(group)}${distanceNote(group)}`;

const MEANING: Record<TalkFault, string> = {
  empty: 'empty',
  repeated: 'what their speaker had said before',
  copied: 'what another had said before',
  identical: 'the same in another episode',
};

/** A line for each group whose talk makes its scores meaningless, and one where a model has forgotten turns. */
export function talkNotes({ groups }: Pick<ScoreReport, 'groups'>): string[] {
  const faults = groups.flatMap((group) =>
    (group.talk?.faults ?? []).map(
      (fault) =>
        `${group.condition} ${placeOf(group)} does not count: ${group.talk?.[fault]} of ${group.talk?.pairs} utterances are ${MEANING[fault]}, half or more`,
    ),
  );
  return [...faults, ...memoryNote(groups)];
}

function memoryNote(groups: readonly GroupReport[]): string[] {
  const forgetful = groups.filter(({ talk }) => talk && talk.shortened > 0);
  const [worst] = forgetful.toSorted((a, b) => (b.talk?.drops ?? 0) - (a.talk?.drops ?? 0));
  if (!worst?.talk) return [];
  const { shortened, pairs, drops } = worst.talk;
  const others = forgetful.length > 1 ? `, and so in ${forgetful.length - 1} more` : '';
  return [
    `memory: in ${worst.condition} ${placeOf(worst)} a model's context was full ${drops} ${drops === 1 ? 'time' : 'times'}, and ${shortened} of ${pairs} turn pairs are of prompts without their oldest turns${others}`,
  ];
}
