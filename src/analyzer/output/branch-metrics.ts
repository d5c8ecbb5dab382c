/** Figures of counterfactual branches → metric samples. */
import type { PatchReport } from '../../protocol/reports/branch-report.ts';
import type { GroupReport } from '../../protocol/reports/score-report.ts';
import { sample, type Labels, type ReportGauge, type Sample } from './report-gauge.ts';
import { GROUP, groupLabels } from './synchrony-metrics.ts';

const PATCH = [...GROUP, 'kind', 'layer', 'size'];
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
    help: 'Matched SyncR²: how much of the target’s movement within branched turns the source’s own state predicts in scenarios that were not fitted on: the target moves in line with the source. The words are the one common cause: beside predictor="state" stand "words", "bystander" (the source’s model that has read the words alone) and "both" (state and bystander).',
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
    name: 'entrain_synchrony_patch_influence_ratio',
    help: 'Share of the variance of the target’s state that moving the source’s state before it speaks makes, by layer and by size in standard deviations, whatever the direction of the move: by itself no evidence of content. Exactly 0 where the source is not heard.',
    labelNames: PATCH,
    samples: (group) => perPatch(group, (patch, labels) => sample(labels, patch.influence?.value)),
  },
  {
    name: 'entrain_synchrony_patch_influence_ci_ratio',
    help: 'Bounds of the 95 % interval of that share, by a bootstrap over scenarios.',
    labelNames: [...PATCH, 'bound'],
    samples: (group) => perPatch(group, (patch, labels) => interval(labels, patch.influence)),
  },
  {
    name: 'entrain_synchrony_patch_follows_ratio',
    help: 'How much of the target’s movement the direction predicts in which the source’s state was moved, in scenarios that were not fitted on.',
    labelNames: PATCH,
    samples: (group) => perPatch(group, (patch, labels) => sample(labels, patch.follows?.score)),
  },
  {
    name: 'entrain_synchrony_patch_follows_ci_ratio',
    help: 'Bounds of the 95 % interval of what follows, by the jackknife over scenarios.',
    labelNames: [...PATCH, 'bound'],
    samples: (group) => perPatch(group, (patch, labels) => interval(labels, patch.follows)),
  },
  {
    name: 'entrain_synchrony_patch_pvalue',
    help: 'Exact permutation p-value of what follows: the directions permuted within each branched turn.',
    labelNames: PATCH,
    samples: (group) => perPatch(group, (patch, labels) => sample(labels, patch.follows?.pValue)),
  },
  {
    name: 'entrain_synchrony_patch_histories',
    help: 'Branched turns whose versions with a moved state the target has heard out.',
    labelNames: PATCH,
    samples: (group) => perPatch(group, (patch, labels) => sample(labels, patch.histories)),
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

type Bounds = { ciLow: number; ciHigh: number } | null | undefined;

const bounds = (group: GroupReport, figure: Bounds): Sample[] => interval(groupLabels(group), figure);

const interval = (labels: Labels, figure: Bounds): Sample[] => [
  ...sample({ ...labels, bound: 'low' }, figure?.ciLow),
  ...sample({ ...labels, bound: 'high' }, figure?.ciHigh),
];

/** The analyzer bounds the number of layers and sizes of a run. */
function perPatch(group: GroupReport, of: (patch: PatchReport, labels: Labels) => Sample[]): Sample[] {
  return (group.branches?.patches ?? []).flatMap((patch) => {
    const { kind, layer, size } = patch;
    return of(patch, { ...groupLabels(group), kind, layer: String(layer), size: String(size ?? '') });
  });
}
