/**
 * Metric samples of scores. Labels are bounded (models, condition, direction); groups above the limit are counted and
 * not shown.
 */
import type {
  DifferenceReport,
  EstimateReport,
  GroupReport,
  StepMeasureReport,
  StrictReport,
} from '../../protocol/reports/score-report.ts';
import { sample, type Labels, type ReportGauge, type Sample } from './report-gauge.ts';

export const GROUP = [
  'source_model',
  'target_model',
  'agents',
  'source_role',
  'target_role',
  'distance',
  'direction',
  'condition',
];
const SCORE = [...GROUP, 'measure', 'mode'];

export const groupLabels = (group: GroupReport | DifferenceReport): Labels => ({
  source_model: group.sourceModel,
  target_model: group.targetModel,
  agents: String(group.agents),
  source_role: String(group.sourceRole),
  target_role: String(group.targetRole),
  distance: String(group.distance),
  direction: group.direction,
  condition: group.condition,
});

const scoreLabels = (group: GroupReport, mode: 'paper' | 'strict'): Labels => ({
  ...groupLabels(group),
  measure: 'sync_r2',
  mode,
});

/**
 * Strict scores of a group: the headline, and secondary analyses under measures of their own. Estimates beyond text
 * have no p-value.
 */
function strictScores(
  group: GroupReport,
): { labels: Labels; report: EstimateReport & Partial<StrictReport> }[] {
  const { strict, beside } = group;
  const named: [string, StrictReport | EstimateReport | null | undefined][] = [
    ['sync_r2', strict],
    ['sync_r2_beyond_text', beside?.text],
    ['sync_r2_beyond_words', beside?.words],
    ['sync_r2_lag_3', beside?.lag3],
    ['sync_r2_lag_5', beside?.lag5],
  ];
  return named.flatMap(([measure, report]) =>
    report ? [{ labels: { ...scoreLabels(group, 'strict'), measure }, report }] : [],
  );
}

/** Scores at later turns are nulls, so their bare scores are only among the nulls. */
const isLag = ({ labels }: Sample): boolean => labels['measure']?.startsWith('sync_r2_lag_') === true;

/** One sample for each strict score. */
const ofStrict = (
  group: GroupReport,
  value: (report: EstimateReport & Partial<StrictReport>) => number | undefined,
  more: Labels = {},
): Sample[] =>
  strictScores(group).flatMap(({ labels, report }) => sample({ ...labels, ...more }, value(report)));

/** One sample for each measure between steps. */
const ofSteps = (
  group: GroupReport,
  value: (report: StepMeasureReport) => number | null | undefined,
  more: Labels = {},
): Sample[] =>
  (group.steps?.measures ?? []).flatMap((report) =>
    sample({ ...groupLabels(group), measure: report.measure, mode: 'steps', ...more }, value(report)),
  );

function nullSamples(group: GroupReport): Sample[] {
  const { paper, beside } = group;
  const of = (mode: 'paper' | 'strict', kind: string, level: string): Labels => ({
    ...scoreLabels(group, mode),
    null: kind,
    level,
  });
  return [
    ...sample(of('paper', 'shuffled', 'mean'), paper?.nullMean),
    ...sample(of('paper', 'pseudo', 'mean'), paper?.pseudoMean),
    ...sample(of('paper', 'text', 'score'), paper?.textOnly),
    ...ofStrict(group, (report) => report.nullMean, { null: 'permutation', level: 'mean' }),
    ...sample(of('strict', 'lag_3', 'score'), beside?.lag3?.score),
    ...sample(of('strict', 'lag_5', 'score'), beside?.lag5?.score),
    ...ofSteps(group, (report) => report.nullMean, { null: 'surrogate', level: 'mean' }),
    ...ofSteps(group, (report) => report.nullQ95, { null: 'surrogate', level: 'q95' }),
    ...ofSteps(group, (report) => report.control, { null: 'same_words', level: 'mean' }),
  ];
}

const VERDICTS = { counts: 1, flagged: -1, none: 0 } as const;

export const SYNCHRONY_GAUGES: readonly ReportGauge<GroupReport>[] = [
  {
    name: 'entrain_synchrony_ratio',
    help: 'Synchrony: share of the variance in the partner’s next state that is predicted, on scenarios that were not fitted on; with mode="steps" another measure, between the states of speaker and listener at the same words. It shows that both states hold the same, not that one acts on the other: a common input that is not taken out shows as well. Absent under the minimum of samples.',
    labelNames: SCORE,
    samples: (group) => [
      ...sample(scoreLabels(group, 'paper'), group.paper?.score),
      ...ofStrict(group, (report) => report.score).filter((one) => !isLag(one)),
      ...ofSteps(group, (report) => report.value),
    ],
  },
  {
    name: 'entrain_synchrony_unclipped_ratio',
    help: 'The paper’s score without its clip at 0: how far below 0 it would be where it is 0.',
    labelNames: SCORE,
    samples: (group) => sample(scoreLabels(group, 'paper'), group.paper?.unclipped),
  },
  {
    name: 'entrain_synchrony_excess_ratio',
    help: 'Score minus its mean over all permutations of episodes: the effect, less biased at few turns than the score. With measure="sync_r2_beyond_text" what text features leave of it, an estimate. With measure="sync_r2_lag_3" or "sync_r2_lag_5" what is left of it three or five turns on. With mode="steps" the measure minus the same for the same words behind another history; absent without such a control (steps.control in the study).',
    labelNames: SCORE,
    samples: (group) => [
      ...ofStrict(group, (report) => report.excess),
      ...ofSteps(group, (report) => report.excess),
    ],
  },
  {
    name: 'entrain_synchrony_null_ratio',
    help: 'What the same score comes to where no true coupling can be, or where it has faded (lag_3, lag_5); with mode="steps" the listener shifted in time (surrogate), or the same words read behind the history of another episode (same_words): to hold the score against, never a result. A lag has fewer turn pairs, so of it only the excess can be compared.',
    labelNames: [...SCORE, 'null', 'level'],
    samples: nullSamples,
  },
  {
    name: 'entrain_synchrony_ci_ratio',
    help: 'Bounds of the 95 % interval of the excess, by the jackknife over scenarios.',
    labelNames: [...SCORE, 'bound'],
    samples: (group) => [
      ...ofStrict(group, (report) => report.ciLow, { bound: 'low' }),
      ...ofStrict(group, (report) => report.ciHigh, { bound: 'high' }),
      ...ofSteps(group, (report) => report.ciLow, { bound: 'low' }),
      ...ofSteps(group, (report) => report.ciHigh, { bound: 'high' }),
    ],
  },
  {
    name: 'entrain_synchrony_pvalue',
    help: 'Exact permutation p-value of the strict score, corrected for the number of layers: do the states go together beyond scenario, turn and episode? Common input of a single episode shows as well. Of a measure between steps, that its excess over the same words is 0; without a control there is none, since any two who read the same words go together. Beyond text there is none.',
    labelNames: SCORE,
    samples: (group) => [
      ...ofStrict(group, (report) => report.pValue),
      ...ofSteps(group, (report) => report.pValue),
    ],
  },
  {
    name: 'entrain_synchrony_zscore',
    help: 'Evidence of the strict score in units of its spread over the permutations, mean over source layers: how far beyond the smallest p-value it reaches.',
    labelNames: SCORE,
    samples: (group) => ofStrict(group, (report) => report.z),
  },
  {
    name: 'entrain_synchrony_verdict',
    help: '1 where q ≤ 0.05 and score and interval lie above 0: it counts. −1 where q ≤ 0.05 and they do not: flagged. 0 otherwise.',
    labelNames: SCORE,
    samples: (group) =>
      sample(scoreLabels(group, 'strict'), group.verdict === null ? null : VERDICTS[group.verdict]),
  },
  {
    name: 'entrain_synchrony_best_lag_steps',
    help: 'Steps by which the listener follows the speaker where they are correlated most.',
    labelNames: SCORE,
    samples: (group) => ofSteps(group, (report) => report.bestLag),
  },
  {
    name: 'entrain_synchrony_steps',
    help: 'Aligned steps in the windows that the measures between steps look at.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.steps?.steps),
  },
  {
    name: 'entrain_synchrony_step_dyads',
    help: 'Dyads whose window has enough aligned steps.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.steps?.dyads),
  },
  {
    name: 'entrain_synchrony_qvalue',
    help: 'The p-value beside those of the run’s other groups: Benjamini–Hochberg.',
    labelNames: SCORE,
    samples: (group) => sample(scoreLabels(group, 'strict'), group.qValue),
  },
  {
    name: 'entrain_synchrony_effect_size_ratio',
    help: 'Cohen’s local f²: what coupling explains over what stays unexplained.',
    labelNames: SCORE,
    samples: (group) => sample(scoreLabels(group, 'strict'), group.effectSize),
  },
  {
    name: 'entrain_synchrony_samples',
    help: 'Turn pairs at hand, from the first one on.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.samples),
  },
  {
    name: 'entrain_synchrony_episodes',
    help: 'Episodes that the turn pairs come from.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.episodes),
  },
  {
    name: 'entrain_synchrony_scenarios',
    help: 'Scenarios that the turn pairs come from.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.scenarios),
  },
  {
    name: 'entrain_synchrony_updated_timestamp_seconds',
    help: 'When a score of the group was last published; absent before the first.',
    labelNames: GROUP,
    samples: ({ scoredAtMs, ...group }) =>
      sample(groupLabels(group), scoredAtMs === undefined ? undefined : scoredAtMs / 1000),
  },
];

const differenceLabels = (report: DifferenceReport): Labels => ({
  ...groupLabels(report),
  against: report.against,
  measure: 'sync_r2',
  mode: 'strict',
});
const DIFFERENCE = [...SCORE, 'against'];

export const DIFFERENCE_GAUGES: readonly ReportGauge<DifferenceReport>[] = [
  {
    name: 'entrain_synchrony_difference_pvalue',
    help: 'Two-sided p-value of the difference, by the jackknife over scenarios of both conditions.',
    labelNames: DIFFERENCE,
    samples: (report) => sample(differenceLabels(report), report.pValue),
  },
  {
    name: 'entrain_synchrony_difference_ratio',
    help: 'Strict excess of a condition minus that of a control.',
    labelNames: DIFFERENCE,
    samples: (report) => sample(differenceLabels(report), report.difference),
  },
  {
    name: 'entrain_synchrony_difference_ci_ratio',
    help: 'Bounds of the 95 % interval of the difference, by the jackknife over scenarios of both.',
    labelNames: [...DIFFERENCE, 'bound'],
    samples: (report) => [
      ...sample({ ...differenceLabels(report), bound: 'low' }, report.ciLow),
      ...sample({ ...differenceLabels(report), bound: 'high' }, report.ciHigh),
    ],
  },
];
