/**
 * Metric samples of pairs, under names of their own, so that a query does not add them to the directions that they
 * are means of.
 */
import type { PairReport } from '../../protocol/reports/score-report.ts';
import { sample, type Labels, type ReportGauge } from './report-gauge.ts';

const PAIR = ['model_a', 'model_b', 'agents', 'role_a', 'role_b', 'condition'];
const SCORE = [...PAIR, 'measure', 'mode'];

const pairLabels = ({ modelA, modelB, agents, roleA, roleB, condition }: PairReport): Labels => ({
  model_a: modelA,
  model_b: modelB,
  agents: String(agents),
  role_a: String(roleA),
  role_b: String(roleB),
  condition,
});

const labels = (pair: PairReport, mode: 'paper' | 'strict', more: Labels = {}): Labels => ({
  ...pairLabels(pair),
  measure: 'sync_r2',
  mode,
  ...more,
});

export const PAIR_GAUGES: readonly ReportGauge<PairReport>[] = [
  {
    name: 'entrain_synchrony_pair_ratio',
    help: 'Synchrony of a pair: the mean over both directions and both speaking orders; with mode="paper" the figure of the paper. Absent unless every direction has a score.',
    labelNames: SCORE,
    samples: (pair) => [
      ...sample(labels(pair, 'paper'), pair.paper?.score),
      ...sample(labels(pair, 'strict'), pair.strict?.score),
    ],
  },
  {
    name: 'entrain_synchrony_pair_unclipped_ratio',
    help: 'The figure of the paper without its clip at 0: the mean over both directions and both speaking orders.',
    labelNames: SCORE,
    samples: (pair) => sample(labels(pair, 'paper'), pair.paper?.unclipped),
  },
  {
    name: 'entrain_synchrony_pair_excess_ratio',
    help: 'Mean over both directions of the score minus the mean of its permutation null.',
    labelNames: SCORE,
    samples: (pair) => sample(labels(pair, 'strict'), pair.strict?.excess),
  },
  {
    name: 'entrain_synchrony_pair_ci_ratio',
    help: 'Bounds of the 95 % interval of the mean excess, by the jackknife: each scenario is left out of both directions together.',
    labelNames: [...SCORE, 'bound'],
    samples: (pair) => [
      ...sample(labels(pair, 'strict', { bound: 'low' }), pair.strict?.ciLow),
      ...sample(labels(pair, 'strict', { bound: 'high' }), pair.strict?.ciHigh),
    ],
  },
  {
    name: 'entrain_synchrony_pair_null_ratio',
    help: 'Mean over both directions of the same score where no true coupling can be: to hold the score against, never a result.',
    labelNames: [...SCORE, 'null', 'level'],
    samples: (pair) => [
      ...sample(labels(pair, 'paper', { null: 'shuffled', level: 'mean' }), pair.paper?.nullMean),
      ...sample(labels(pair, 'paper', { null: 'pseudo', level: 'mean' }), pair.paper?.pseudoMean),
      ...sample(labels(pair, 'strict', { null: 'permutation', level: 'mean' }), pair.strict?.nullMean),
    ],
  },
  {
    name: 'entrain_synchrony_pair_figures',
    help: 'Directions and speaking orders that the means of a pair are over: 2, or 4 where two models speak in both orders.',
    labelNames: PAIR,
    samples: (pair) => (pair.paper || pair.strict ? sample(pairLabels(pair), pair.figures) : []),
  },
];
