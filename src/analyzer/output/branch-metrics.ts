/** Figures of counterfactual branches → metric samples. */
import type { GroupReport } from '../../protocol/report.ts';
import { sample, type ReportGauge } from './report-gauge.ts';
import { GROUP, groupLabels } from './synchrony-metrics.ts';

const PREDICTORS = ['words', 'bystander', 'both'] as const;

export const BRANCH_GAUGES: readonly ReportGauge<GroupReport>[] = [
  {
    name: 'entrain_synchrony_influence_ratio',
    help: 'Share of the variance of the target’s state that the source’s choice of words makes, mean over layers: the source acts on the target. Exactly 0 where it is not heard. Absent under 20 branched turns of 6 scenarios.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.branches?.influence?.value),
  },
  {
    name: 'entrain_synchrony_influence_ci_ratio',
    help: 'Bounds of the 95 % interval of the influence, by a bootstrap over scenarios.',
    labelNames: [...GROUP, 'bound'],
    samples: (group) => bounds(group, group.branches?.influence),
  },
  {
    name: 'entrain_synchrony_influence_layer_ratio',
    help: 'The influence on each layer of the target.',
    labelNames: [...GROUP, 'layer'],
    samples: (group) =>
      (group.branches?.influence?.perLayer ?? []).flatMap(({ layer, value }) =>
        sample({ ...groupLabels(group), layer: String(layer) }, value),
      ),
  },
  {
    name: 'entrain_synchrony_matched_ratio',
    help: 'Matched SyncR²: how much of the target’s movement within branched turns the source’s own state foretells in scenarios that were not fitted on: the target moves in line with the source. The words are the one common cause: beside predictor="state" stand "words", "bystander" (the source’s model that has read the words alone) and "both" (state and bystander).',
    labelNames: [...GROUP, 'predictor'],
    samples: (group) => [
      ...sample({ ...groupLabels(group), predictor: 'state' }, group.branches?.matched?.score),
      ...PREDICTORS.flatMap((predictor) =>
        sample({ ...groupLabels(group), predictor }, group.branches?.matched?.[predictor]),
      ),
    ],
  },
  {
    name: 'entrain_synchrony_matched_ci_ratio',
    help: 'Bounds of the 95 % interval of the matched SyncR² of the state, by the jackknife over scenarios.',
    labelNames: [...GROUP, 'bound'],
    samples: (group) => bounds(group, group.branches?.matched),
  },
  {
    name: 'entrain_synchrony_matched_layer_ratio',
    help: 'The matched SyncR² of each layer of the source.',
    labelNames: [...GROUP, 'layer'],
    samples: (group) =>
      (group.branches?.matched?.perLayer ?? []).flatMap(({ layer, score }) =>
        sample({ ...groupLabels(group), layer: String(layer) }, score),
      ),
  },
  {
    name: 'entrain_synchrony_matched_pvalue',
    help: 'Exact permutation p-value of the matched SyncR², over all pairs of layers: alternatives permuted within each branched turn.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.branches?.matched?.pValue),
  },
  {
    name: 'entrain_synchrony_matched_adds_ratio',
    help: 'What the source’s state adds to the bystander’s, or to the words: of the movement, what is the source’s own.',
    labelNames: [...GROUP, 'beyond'],
    samples: (group) => {
      const adds = group.branches?.matched?.adds;
      return adds ? sample({ ...groupLabels(group), beyond: adds.beyond }, adds.value) : [];
    },
  },
  {
    name: 'entrain_synchrony_matched_adds_ci_ratio',
    help: 'Bounds of the 95 % interval of what the source’s state adds, by the jackknife over scenarios.',
    labelNames: [...GROUP, 'bound'],
    samples: (group) => bounds(group, group.branches?.matched?.adds),
  },
  {
    name: 'entrain_synchrony_sequential_pvalue',
    help: 'Does the target move in line with the source? The p-value of a test that may be looked at any time, while the run is open too: 1 over the largest value of its test martingale.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.branches?.sequential?.pValue),
  },
  {
    name: 'entrain_synchrony_branch_histories',
    help: 'Branched turns that the target has heard out.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.branches?.histories),
  },
  {
    name: 'entrain_synchrony_branches',
    help: 'Alternatives of all branched turns, with what was really said.',
    labelNames: GROUP,
    samples: (group) => sample(groupLabels(group), group.branches?.branches),
  },
];

function bounds(group: GroupReport, figure: { ciLow: number; ciHigh: number } | null | undefined) {
  return [
    ...sample({ ...groupLabels(group), bound: 'low' }, figure?.ciLow),
    ...sample({ ...groupLabels(group), bound: 'high' }, figure?.ciHigh),
  ];
}
