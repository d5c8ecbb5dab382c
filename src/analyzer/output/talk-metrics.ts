/** Metric samples of the quality of a group's talk. */
import type { GroupReport } from '../../protocol/reports/score-report.ts';
import { sample, type ReportGauge } from './report-gauge.ts';
import { GROUP, groupLabels } from './synchrony-metrics.ts';

const KINDS = ['empty', 'repeated', 'copied', 'identical', 'cut', 'shortened'] as const;

export const TALK_GAUGES: readonly ReportGauge<GroupReport>[] = [
  {
    name: 'entrain_synchrony_talk_described',
    help: 'Turn pairs whose utterance the sender has described.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.talk?.pairs),
  },
  {
    name: 'entrain_synchrony_talk_pairs',
    help: 'Turn pairs by what their talk was like: the utterance is empty, repeated by its speaker, copied from another agent, identical in another episode of the scenario, or cut at maxTokens; or a prompt is shortened: the model’s context was full, and its oldest turns are gone.',
    labelNames: [...GROUP, 'talk'],
    samples: (group) => KINDS.flatMap((talk) => sample({ ...groupLabels(group), talk }, group.talk?.[talk])),
  },
  {
    name: 'entrain_synchrony_talk_drops',
    help: 'How many times the oldest turns were dropped from a prompt of the group because the model’s context was full.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.talk?.drops),
  },
  {
    name: 'entrain_synchrony_talk_faults',
    help: 'How many of empty, repeated, copied and identical hold for half of the turn pairs or more: above 0 no score of the group counts.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.talk?.faults.length),
  },
];
