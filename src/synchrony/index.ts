/**
 * The public mathematics, package entry `entrain/synchrony`: measures over turn pairs and aligned steps, their
 * nulls and statistics.
 */
export type { LinearAlgebra, Matrix } from '../numeric/linear-algebra.ts';
export { createPlainAlgebra } from '../numeric/plain-algebra.ts';
export { zeros } from '../numeric/matrix.ts';
export type {
  EpisodeStates,
  EpisodeTurn,
  Interval,
  NoScore,
  PaperScore,
  Replicate,
  RowLabels,
  StrictEstimate,
  StrictScore,
  TurnPairs,
} from './types.ts';
export { pairTurns, type PairingOptions } from './syncr2/turn-pairs.ts';
export { paperScore, type PaperOptions } from './syncr2/paper-mode.ts';
export { pseudoPairs, shuffledPairs } from './syncr2/nulls.ts';
export { beyondText, strictScore, type StrictOptions } from './strict/strict-score.ts';
export { BRANCH_MINIMUMS, type BranchMinimums, type Branches } from './branches/histories.ts';
export { influence, type Influence, type InfluenceOptions } from './branches/influence.ts';
export {
  interchange,
  type ExchangeRows,
  type Follows,
  type InterchangeOptions,
} from './branches/interchange.ts';
export type { UnpatchedRows } from './branches/natural-map.ts';
export { patching, type Patching, type PatchRows } from './branches/patching.ts';
export {
  BRANCH_METHOD,
  matchedScore,
  type MatchedLayer,
  type MatchedOptions,
  type MatchedScore,
} from './branches/matched.ts';
export {
  sequentialTest,
  type SequentialOptions,
  type SequentialVerdict,
} from './branches/sequential-test.ts';
export { MEASURES } from './measures/index.ts';
export type { Measure, MeasureAnswer, MeasureOptions } from './measures/measure.ts';
export { differenceOf, jackknife, meanOf, type Estimate, type Jackknifed } from './stats/jackknife.ts';
export { cohensF2 } from './stats/effect-size.ts';
export { qValues } from './stats/false-discovery.ts';
export { mixedSlope, type GroupedPoint, type MixedSlope } from './stats/mixed-slope.ts';
export { modelInterval } from './stats/model-jackknife.ts';
export { partialCorrelation } from './stats/partial-correlation.ts';
export { pearson, type Correlation } from './stats/pearson.ts';
export { qap, type PairTable, type QapOptions, type QapResult } from './stats/qap.ts';
export { socialRelations, type SocialRelations } from './stats/social-relations.ts';
export { spearman } from './stats/spearman.ts';
export { surrogateNull, type SurrogateNull, type SurrogateOptions } from './stats/surrogates.ts';
