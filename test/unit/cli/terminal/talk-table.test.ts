/** The quality of each group's talk, as lines of text. */
import { expect, it } from 'vitest';
import { talkNotes, talkTable } from '../../../../src/cli/terminal/talk-table.ts';
import type { GroupReport, ScoreReport } from '../../../../src/protocol/reports/score-report.ts';
import type { TalkReport } from '../../../../src/protocol/reports/talk-report.ts';

const GOOD: TalkReport = {
  pairs: 240,
  empty: 0,
  repeated: 3,
  copied: 1,
  identical: 0,
  cut: 31,
  shortened: 0,
  drops: 0,
  faults: [],
};

const groupOf = (
  condition: string,
  talk: TalkReport | null,
  change: Partial<GroupReport> = {},
): GroupReport =>
  ({ condition, agents: 2, sourceRole: 1, targetRole: 2, distance: 1, talk, ...change }) as GroupReport;

const reportOf = (...groups: GroupReport[]): ScoreReport => ({ groups }) as ScoreReport;

it('has a row for each group that says how its talk was, and none without', () => {
  expect(talkTable(reportOf(groupOf('live', null)))).toEqual([]);
  expect(
    talkTable(reportOf(groupOf('live', GOOD), groupOf('dose:0.5', { ...GOOD, identical: 120 }))),
  ).toEqual([
    'talk      direction  utterances  empty  repeated  copied  same in another episode  cut  memory shortened',
    'live      1st → 2nd         240      0         3       1                        0   31                 0',
    'dose:0.5  1st → 2nd         240      0         3       1                      120   31                 0',
  ]);
});

it('says of which group no score counts, and why', () => {
  expect(talkNotes(reportOf(groupOf('live', GOOD)))).toEqual([]);
  const bad = { ...GOOD, empty: 200, identical: 180, faults: ['empty', 'identical'] } satisfies TalkReport;
  expect(talkNotes(reportOf(groupOf('live', bad, { agents: 3, distance: 2 })))).toEqual([
    'live 1st → 2nd (+2) does not count: 200 of 240 utterances are empty, half or more',
    'live 1st → 2nd (+2) does not count: 180 of 240 utterances are the same in another episode, half or more',
  ]);
});

it('says once that a model has forgotten turns, with the group that it happened in most', () => {
  const some = { ...GOOD, shortened: 20, drops: 1 };
  const most = { ...GOOD, shortened: 60, drops: 8 };
  expect(talkNotes(reportOf(groupOf('monologue', some)))).toEqual([
    "memory: in monologue 1st → 2nd a model's context was full 1 time, and 20 of 240 turn pairs are of prompts without their oldest turns",
  ]);
  expect(talkNotes(reportOf(groupOf('monologue', some), groupOf('live', most)))).toEqual([
    "memory: in live 1st → 2nd a model's context was full 8 times, and 60 of 240 turn pairs are of prompts without their oldest turns, and so in 1 more",
  ]);
});
