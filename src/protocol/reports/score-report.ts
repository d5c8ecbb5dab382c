/** What the analyzer reports about its scores: the JSON of `GET /api/scores`. */

import type { BranchReport } from './branch-report.ts';
import type { TalkReport } from './talk-report.ts';

/** Which states predict: the opener's predict the answerer's, or the other way round. */
export type Direction = 'first_to_second' | 'second_to_first';

export interface PaperReport {
  score: number;
  /** The same mean without the clip at 0, which a score of 0 hides. */
  unclipped: number;
  /**
   * Mean of the `shuffled` null: B's turns permuted within the episode, in the training part. Null until
   * computed.
   */
  nullMean: number | null;
  /** Mean of the `pseudo` null: A of one episode with B of another one of the same scenario. */
  pseudoMean: number | null;
  /**
   * The same figure from the text features of A's prompt in place of A's states. Null where the senders give none;
   * absent from earlier versions.
   */
  textOnly?: number | null;
  /** The same figure with single episodes as units of the splits; absent from earlier versions. */
  byEpisode?: number | null;
  /** Number of samples of the score; a live score may lag behind the recording. */
  samples: number;
}

/** A strict score without a test. */
export interface EstimateReport {
  score: number;
  /** score − nullMean. */
  excess: number;
  ciLow: number;
  ciHigh: number;
  /** Mean of the score over all permutations of episodes within their scenarios. */
  nullMean: number;
  /** Turn pairs in use: those that every episode of their scenario reaches. */
  samples: number;
}

export interface StrictReport extends EstimateReport {
  /** p-value of the exact permutation test, corrected for the number of layers. */
  pValue: number;
  /**
   * The score minus the mean of the permutations, in their standard deviations: how far it reaches beyond the
   * smallest p-value.
   */
  z: number;
  permutations: number;
}

/** Secondary analyses, each over the rows that it can use; null with too few of them. */
export interface BesideReport {
  /** Beyond the text of A's prompt, as far as text features show it; an estimate without a p-value. */
  text: EstimateReport | null;
  /** Beyond the text of B's prompt, which holds A's utterance, as well. */
  words: EstimateReport | null;
  /** A at turn t with B at t + 3 and t + 5: whether the effect fades. */
  lag3: StrictReport | null;
  lag5: StrictReport | null;
}

/** How strict mode's R² spreads over pairs of layers and over turn pairs; docs/method.md, rung 2. */
export interface LayerMapReport {
  /** R² on held-out scenarios [source layers][target layers]: the layers that were sent, in their order. */
  map: number[][];
  /** Its mean over all permutations of episodes within their scenarios. */
  nulls: number[][];
  /** Episode → source turn → its part of the mean of `map`. */
  turns: Record<string, Record<string, number>>;
}

/**
 * One measure between aligned steps of speakers and listeners: the mean over a group's dyads. Where some have a
 * control, the mean over scenarios of those.
 */
export interface StepMeasureReport {
  /** Name of the measure, for an oscillatory one with its pass band: `cka`, `plv:0.05-0.25`. */
  measure: string;
  value: number;
  /** Mean and quantile of its distance from 0 with the listener shifted in time; null until that was done. */
  nullMean: number | null;
  nullQ95: number | null;
  /**
   * The same between the speaker and the listening agent behind the history of another episode of the scenario, reading
   * the same words. Null without such a control, as are the following fields.
   */
  control: number | null;
  /** `value` − `control`: the figure to be read. */
  excess: number | null;
  /** Of the excess, by the jackknife over scenarios; null with fewer than six of them. */
  ciLow: number | null;
  ciHigh: number | null;
  pValue: number | null;
  /** For a lagged measure: the number of steps by which the listener follows the speaker. */
  bestLag?: number;
}

export interface StepReport {
  /** Number of dyads with a figure, and of aligned steps in their windows. */
  dyads: number;
  steps: number;
  measures: StepMeasureReport[];
  /** Why there is no figure; absent if there is one. */
  reason?: string;
}

/** One point of the live curve. */
export interface CurvePoint {
  atMs: number;
  samples: number;
  strict: number | null;
  paper: number | null;
}

/**
 * Verdict on a strict score. `counts`: q ≤ 0.05, score and interval lie above 0, and the talk has no fault.
 * `flagged`: q ≤ 0.05, but one of these does not hold. `none`: q > 0.05.
 */
export type Verdict = 'counts' | 'flagged' | 'none';

export interface GroupReport {
  sourceModel: string;
  targetModel: string;
  direction: Direction;
  condition: string;
  /** Number of agents in the episode, and the places of source and target in its speaking order, from 1. */
  agents: number;
  sourceRole: number;
  targetRole: number;
  /**
   * Turns from the predicting state to the predicted one: 1 for two agents, up to n − 1 for n. Only groups of
   * the same distance can be compared.
   */
  distance: number;
  /** Turn pairs recorded so far. */
  samples: number;
  episodes: number;
  scenarios: number;
  /**
   * Scenarios with at least three episodes. The strict score needs six of them, since its test permutes the
   * episodes of a scenario.
   */
  exchangeableScenarios: number;
  /** Rows that the last full score left out: beyond the limit, or of another shape than the rest. */
  leftOut?: number;
  paper: PaperReport | null;
  /** Strict mode, beyond scenario, turn and episode: the headline. */
  strict: StrictReport | null;
  /** Cohen's local f² of the strict score. */
  effectSize: number | null;
  /** The p-value corrected over the run's groups (Benjamini–Hochberg). */
  qValue: number | null;
  /** Null until there is a q value. */
  verdict: Verdict | null;
  /** Null where no sender has described its talk. */
  talk: TalkReport | null;
  /** Counterfactual branches; null if none of its turns has branched. */
  branches: BranchReport | null;
  /** Null until first computed. */
  beside: BesideReport | null;
  /** Coupling step by step, if the study streams steps; null before the first aligned step. */
  steps: StepReport | null;
  /** Why there is no score; absent if there is one. */
  reason?: string;
  /** When a score was last published, milliseconds since 1970; absent before the first. */
  scoredAtMs?: number;
  /** Oldest first; thinned out when it grows long. */
  curve: CurvePoint[];
}

/** The strict excess of a condition minus that of a control, for the same models and direction. */
export interface DifferenceReport {
  sourceModel: string;
  targetModel: string;
  direction: Direction;
  condition: string;
  agents: number;
  sourceRole: number;
  targetRole: number;
  /** Turns from the predicting state to the predicted one. */
  distance: number;
  against: string;
  difference: number;
  ciLow: number;
  ciHigh: number;
  /** Two-sided p-value by the jackknife over scenarios. */
  pValue: number;
}

/** The difference of a pair: of two agents, without a direction. */
export interface PairDifferenceReport {
  modelA: string;
  modelB: string;
  roleA: number;
  roleB: number;
  condition: string;
  against: string;
  difference: number;
  ciLow: number;
  ciHigh: number;
  pValue: number;
}

/**
 * For more than two agents: the mean excess over the groups of one distance; its interval leaves out the same
 * scenario in all of them.
 */
export interface DistanceReport {
  condition: string;
  agents: number;
  distance: number;
  /** Number of groups in the mean. */
  figures: number;
  excess: number;
  ciLow: number;
  ciHigh: number;
}

/** Paper mode of a pair: means over its directions and speaking orders. */
export interface PairPaperReport {
  score: number;
  unclipped: number;
  /** Means of the `shuffled` and the `pseudo` null; null if one direction has none. */
  nullMean: number | null;
  pseudoMean: number | null;
}

/**
 * Strict mode of a pair: means, with an interval that leaves out the same scenario in all groups. It has no
 * p-value.
 */
export interface PairStrictReport {
  score: number;
  excess: number;
  nullMean: number;
  ciLow: number;
  ciHigh: number;
}

/**
 * A pair: the means of the last scores over both directions and the speaking orders that were played. Groups of
 * more than two agents have no pair, since their directions differ in distance.
 */
export interface PairReport {
  /** Sorted by name; the order of models is unrelated to that of places. */
  modelA: string;
  modelB: string;
  roleA: number;
  roleB: number;
  condition: string;
  agents: number;
  /** Number of groups in the mean: 2, or 4 if two models speak in both orders. */
  figures: number;
  /** Number of their turn pairs. */
  samples: number;
  /** Null unless every group has a figure. */
  paper: PairPaperReport | null;
  strict: PairStrictReport | null;
  /** Which direction has no figure, and why. */
  reason?: string;
}

export interface ScoreReport {
  run: string;
  /**
   * False once the run has ended as planned and everything recorded is scored. Until then each figure is one
   * look of many, and p and q do not hold.
   */
  provisional: boolean;
  /** Whether something recorded is not yet in a published score. */
  pending: boolean;
  /** Number of groups and dyads with rows that are not scored yet. */
  waiting?: number;
  framesAccepted: number;
  framesDurable: number;
  groups: GroupReport[];
  differences: DifferenceReport[];
  pairs: PairReport[];
  pairDifferences: PairDifferenceReport[];
  distances: DistanceReport[];
}
