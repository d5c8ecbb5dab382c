/** The quality of a group's talk as Prometheus reads it. */
import { expect, it } from 'vitest';
import { TALK_GAUGES } from '../../../../src/analyzer/output/talk-metrics.ts';
import type { GroupReport } from '../../../../src/protocol/reports/score-report.ts';
import type { TalkReport } from '../../../../src/protocol/reports/talk-report.ts';

const TALK: TalkReport = {
  pairs: 130,
  empty: 1,
  repeated: 2,
  copied: 3,
  identical: 70,
  cut: 5,
  shortened: 6,
  drops: 4,
  faults: ['identical'],
};

const shown = (talk: TalkReport | null): string[] =>
  TALK_GAUGES.flatMap(({ name, samples }) =>
    samples({ condition: 'live', talk } as GroupReport).map(
      ({ labels, value }) => `${name} ${labels['condition']} ${labels['talk'] ?? ''} ${value}`,
    ),
  );

it('the talk metrics show the turn pairs of each kind, and how many faults make a score meaningless', () => {
  expect(shown(TALK)).toEqual([
    'entrain_synchrony_talk_described live  130',
    'entrain_synchrony_talk_pairs live empty 1',
    'entrain_synchrony_talk_pairs live repeated 2',
    'entrain_synchrony_talk_pairs live copied 3',
    'entrain_synchrony_talk_pairs live identical 70',
    'entrain_synchrony_talk_pairs live cut 5',
    'entrain_synchrony_talk_pairs live shortened 6',
    'entrain_synchrony_talk_drops live  4',
    'entrain_synchrony_talk_faults live  1',
  ]);
});

it('the talk metrics show nothing for a group whose senders do not describe their talk', () => {
  expect(shown(null)).toEqual([]);
});
