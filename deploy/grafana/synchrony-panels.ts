/** The panels of what was measured: each score beside its null, for each direction, split by condition. */
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import { stat, timeseries, type PanelOptions } from './panels.ts';

const DIRECTIONS = [
  { label: 'first_to_second', text: 'first speaker → second' },
  { label: 'second_to_first', text: 'second speaker → first' },
] as const;

const CHOSEN = 'run=~"$run",condition=~"$condition",source_model=~"$source_model"';
const SERIES = '{{run}} {{condition}} ({{source_model}} {{source_role}} → {{target_model}} {{target_role}})';
const HEADLINE = 'measure="sync_r2",mode="strict"';
const BESIDE = 'measure=~"sync_r2_(beyond_.*|lag_.*)",mode="strict"';
const STEPS = 'mode="steps"';
const SIGNIFICANT = 0.05;

const of = (direction: string, rest: string): string => `{direction="${direction}",${CHOSEN},${rest}}`;

export function synchronyPanels(): Builder<Panel>[] {
  return [
    ...DIRECTIONS.map(strictPanel),
    ...DIRECTIONS.map(excessPanel),
    ...DIRECTIONS.map(besidePanel),
    ...DIRECTIONS.map(differencePanel),
    ...DIRECTIONS.map(paperPanel),
    ...PAIR_PANELS.map(timeseries),
    ...DIRECTIONS.map(stepPanel),
    pValuePanel(),
  ];
}

type Direction = (typeof DIRECTIONS)[number];

function strictPanel({ label, text }: Direction): Builder<Panel> {
  const series = of(label, HEADLINE);
  const nullOf = (level: string): string => of(label, `${HEADLINE},null="permutation",level="${level}"`);
  return timeseries({
    title: `Strict score, ${text}`,
    description:
      'Share of the variance in the partner’s next state that this side’s state predicts beyond scenario, turn and episode, on scenarios that were not fitted on. It shows that both states hold the same, not that one acts on the other: common input of a single episode shows as well. Dashed: its mean over all permutations of episodes.',
    unit: 'percentunit',
    span: 12,
    level: 0,
    lines: [
      { expr: `entrain_synchrony_ratio${series}`, legend: SERIES },
      {
        expr: `entrain_synchrony_null_ratio${nullOf('mean')}`,
        legend: `null mean · ${SERIES}`,
        dashed: true,
      },
    ],
  });
}

function excessPanel({ label, text }: Direction): Builder<Panel> {
  const bound = (name: string): string => of(label, `${HEADLINE},bound="${name}"`);
  return timeseries({
    title: `Excess over the null, ${text}`,
    description:
      'Strict score minus the mean of its null, with the 95 % interval of a jackknife over scenarios. An interval that holds 0 shows no synchrony.',
    unit: 'percentunit',
    span: 12,
    level: 0,
    lines: [
      { expr: `entrain_synchrony_excess_ratio${of(label, HEADLINE)}`, legend: SERIES },
      { expr: `entrain_synchrony_ci_ratio${bound('low')}`, legend: `low · ${SERIES}`, dashed: true },
      { expr: `entrain_synchrony_ci_ratio${bound('high')}`, legend: `high · ${SERIES}`, dashed: true },
    ],
  });
}

function besidePanel({ label, text }: Direction): Builder<Panel> {
  const bound = (name: string): string => of(label, `${BESIDE},bound="${name}"`);
  const series = `{{measure}} · ${SERIES}`;
  return timeseries({
    title: `Beyond text, and later turns, ${text}`,
    description:
      'Excess of what text features leave of both states (an estimate, without a p-value), and that of a partner’s third and fifth turn from here: does it fade? Dashed: bounds of the 95 % interval.',
    unit: 'percentunit',
    span: 12,
    level: 0,
    lines: [
      { expr: `entrain_synchrony_excess_ratio${of(label, BESIDE)}`, legend: series },
      { expr: `entrain_synchrony_ci_ratio${bound('low')}`, legend: `low · ${series}`, dashed: true },
      { expr: `entrain_synchrony_ci_ratio${bound('high')}`, legend: `high · ${series}`, dashed: true },
    ],
  });
}

function differencePanel({ label, text }: Direction): Builder<Panel> {
  const bound = (name: string): string => of(label, `${HEADLINE},bound="${name}"`);
  const series = `− {{against}} · ${SERIES}`;
  return timeseries({
    title: `Difference between conditions, ${text}`,
    description:
      'Excess of a condition minus that of its control, with the 95 % interval of a jackknife that leaves the same scenarios out of both.',
    unit: 'percentunit',
    span: 12,
    level: 0,
    lines: [
      { expr: `entrain_synchrony_difference_ratio${of(label, HEADLINE)}`, legend: series },
      {
        expr: `entrain_synchrony_difference_ci_ratio${bound('low')}`,
        legend: `low · ${series}`,
        dashed: true,
      },
      {
        expr: `entrain_synchrony_difference_ci_ratio${bound('high')}`,
        legend: `high · ${series}`,
        dashed: true,
      },
    ],
  });
}

function paperPanel({ label, text }: Direction): Builder<Panel> {
  const nullOf = (rest: string): string => of(label, `mode="paper",${rest}`);
  return timeseries({
    title: `Paper mode, ${text}`,
    description:
      'SyncR² as published, with its nulls. It also counts what a scenario, an episode or a turn number explains; compare with the strict score. It counts R² below 0 as 0; unclipped is what it is without that, down to −100 % here.',
    unit: 'percentunit',
    floor: -1,
    span: 12,
    lines: [
      { expr: `entrain_synchrony_ratio${of(label, 'mode="paper"')}`, legend: SERIES },
      {
        expr: `entrain_synchrony_unclipped_ratio${of(label, 'mode="paper"')}`,
        legend: `unclipped · ${SERIES}`,
        dashed: true,
      },
      {
        expr: `entrain_synchrony_null_ratio${nullOf('null="shuffled",level="mean"')}`,
        legend: `shuffled mean · ${SERIES}`,
        dashed: true,
      },
      {
        expr: `entrain_synchrony_null_ratio${nullOf('null="pseudo",level="mean"')}`,
        legend: `pseudo mean · ${SERIES}`,
        dashed: true,
      },
    ],
  });
}

const PAIR = '{{condition}} ({{model_a}} {{role_a}} ↔ {{model_b}} {{role_b}})';
const ofPair = (rest: string): string => `{run=~"$run",condition=~"$condition",measure="sync_r2",${rest}}`;

/** Means over both directions and both speaking orders. */
const PAIR_PANELS: readonly PanelOptions[] = [
  {
    title: 'Excess over the null, both directions',
    description:
      'Mean over both directions and the speaking orders, with the 95 % interval of a jackknife that leaves the same scenarios out of all of them. Absent unless every direction has a score.',
    unit: 'percentunit',
    span: 12,
    level: 0,
    lines: [
      { expr: `entrain_synchrony_pair_excess_ratio${ofPair('mode="strict"')}`, legend: PAIR },
      {
        expr: `entrain_synchrony_pair_ci_ratio${ofPair('mode="strict",bound="low"')}`,
        legend: `low · ${PAIR}`,
        dashed: true,
      },
      {
        expr: `entrain_synchrony_pair_ci_ratio${ofPair('mode="strict",bound="high"')}`,
        legend: `high · ${PAIR}`,
        dashed: true,
      },
    ],
  },
  {
    title: 'Paper mode, both directions: the figure of the paper',
    description:
      'SyncR² as published: the mean over both directions and both speaking orders, with the mean of its shuffled null. It counts R² below 0 as 0; unclipped is what it is without that, down to −100 % here.',
    unit: 'percentunit',
    floor: -1,
    span: 12,
    lines: [
      { expr: `entrain_synchrony_pair_ratio${ofPair('mode="paper"')}`, legend: PAIR },
      {
        expr: `entrain_synchrony_pair_unclipped_ratio${ofPair('mode="paper"')}`,
        legend: `unclipped · ${PAIR}`,
        dashed: true,
      },
      {
        expr: `entrain_synchrony_pair_null_ratio${ofPair('mode="paper",null="shuffled",level="mean"')}`,
        legend: `shuffled mean · ${PAIR}`,
        dashed: true,
      },
    ],
  },
];

function stepPanel({ label, text }: Direction): Builder<Panel> {
  const series = `{{measure}} · ${SERIES}`;
  return timeseries({
    title: `Step by step, ${text}`,
    description:
      'Measures between the states of speaker and listener at the same words, over the last 128 of them. Dashed: the 95th percentile with the listener turned round. Dashed too, where the study asks for a control: the same words read behind the history of another episode. Empty unless the study streams steps.',
    unit: 'none',
    span: 12,
    level: 0,
    lines: [
      { expr: `entrain_synchrony_ratio${of(label, STEPS)}`, legend: series },
      {
        expr: `entrain_synchrony_null_ratio${of(label, `${STEPS},null="surrogate",level="q95"`)}`,
        legend: `turned round q95 · ${series}`,
        dashed: true,
      },
      {
        expr: `entrain_synchrony_null_ratio${of(label, `${STEPS},null="same_words",level="mean"`)}`,
        legend: `same words · ${series}`,
        dashed: true,
      },
    ],
  });
}

function pValuePanel(): Builder<Panel> {
  return timeseries({
    title: 'p-value and q-value of the strict score',
    description:
      'By permutation, with the maximum over layers as the statistic. The q-value (dashed) corrects for the number of groups in the run. The level is 0.05. Provisional while a run is open: both hold once, at its planned end.',
    unit: 'none',
    span: 24,
    level: SIGNIFICANT,
    lines: [
      { expr: `entrain_synchrony_pvalue{${HEADLINE},${CHOSEN}}`, legend: `{{direction}} · ${SERIES}` },
      {
        expr: `entrain_synchrony_qvalue{${HEADLINE},${CHOSEN}}`,
        legend: `q · {{direction}} · ${SERIES}`,
        dashed: true,
      },
    ],
  });
}

/** How much there is to judge by: a score is absent until there is enough. */
export function coveragePanels(): Builder<Panel>[] {
  const fewest = (title: string, metric: string, need: string): Builder<Panel> =>
    stat({
      title,
      description: `Of the group with the fewest. A score needs at least ${need}.`,
      unit: 'short',
      span: 5,
      lines: [{ expr: `min by (run, condition) (${metric}{${CHOSEN}})`, legend: '{{run}} {{condition}}' }],
    });
  return [
    stat({
      title: 'Final',
      description:
        '1 once the run has ended as planned and all of it is scored: these figures are the ones to report. 0 while they are provisional.',
      unit: 'short',
      span: 4,
      lines: [{ expr: 'entrain_synchrony_final', legend: 'final' }],
    }),
    fewest('Turn pairs', 'entrain_synchrony_samples', '120'),
    fewest('Episodes', 'entrain_synchrony_episodes', '18'),
    fewest('Scenarios', 'entrain_synchrony_scenarios', '6, a strict one 6 with two episodes or more each'),
    stat({
      title: 'Age of the scores',
      description: 'Time since a score was last published, of the group whose score is oldest.',
      unit: 's',
      span: 5,
      lines: [
        {
          expr: `time() - min by (run, condition) (entrain_synchrony_updated_timestamp_seconds{${CHOSEN}})`,
          legend: '{{run}} {{condition}}',
        },
      ],
    }),
  ];
}
