/** The figures of branches as `scores.jsonl` and `entrain measure influence` write them. */
import type {
  BranchReport,
  FigureReport,
  InfluenceReport,
  MatchedReport,
  PatchReport,
  SequentialReport,
} from '../../protocol/reports/branch-report.ts';

type Json = Record<string, unknown>;

export const branchAnswer = (report: BranchReport): Json => {
  const { histories, branches, influence, matched, sequential, patches, reason } = report;
  return {
    histories,
    branches,
    influence: influence && influenceAnswer(influence),
    matched: matched && matchedAnswer(matched),
    sequential: sequential && sequentialAnswer(sequential),
    ...(patches ? { patches: patches.map(patchAnswer) } : {}),
    ...(reason === undefined ? {} : { reason }),
  };
};

const bounds = ({ ciLow, ciHigh }: Pick<FigureReport, 'ciLow' | 'ciHigh'>): number[] => [ciLow, ciHigh];

const influenceAnswer = (influence: InfluenceReport): Json => ({
  value: influence.value,
  ci: bounds(influence),
  per_layer: influence.perLayer,
});

const patchAnswer = ({ influence, follows, ...patch }: PatchReport): Json => ({
  ...patch,
  influence: influence && influenceAnswer(influence),
  follows: follows && {
    score: follows.score,
    ci: bounds(follows),
    p_value: follows.pValue,
    permutations: follows.permutations,
    target_layer: follows.targetLayer,
  },
});

const sequentialAnswer = ({ histories, logE, pValue }: SequentialReport): Json => ({
  histories,
  log_e: logE,
  p_value: pValue,
});

function matchedAnswer(matched: MatchedReport): Json {
  const { score, pValue, permutations, perLayer, words, bystander, both, adds } = matched;
  return {
    score,
    ci: bounds(matched),
    p_value: pValue,
    permutations,
    per_layer: perLayer.map((of) => ({
      layer: of.layer,
      score: of.score,
      target_layer: of.targetLayer,
      p_value: of.pValue,
    })),
    words,
    bystander,
    both,
    adds: adds && { value: adds.value, ci: bounds(adds), beyond: adds.beyond },
  };
}
