/** What the analyzer tells people and programs about its scores: the JSON of `GET /api/scores` and `GET /api/state`. */

import type { TalkReport } from './talk-report.ts';

/** Which way states predict: the opener's the answerer's, or the other way. */
export type Direction = 'first_to_second' | 'second_to_first';

export interface PaperReport {
  score: number;
  /** The same mean without the clip at 0: what a score of 0 may hide. */
  unclipped: number;
  /** Its `shuffled` null: B's turns permuted within the episode, training part only. Absent until first computed. */
  nullMean: number | null;
  /** Its `pseudo` null: A of one episode with B of another one of the same scenario. */
  pseudoMean: number | null;
  /** What the score was computed over; a live score may lag behind the recording. */
  samples: number;
}

/** A strict score without a test. */
export interface EstimateReport {
  score: number;
  /** score − nullMean. */
  excess: number;
  ciLow: number;
  ciHigh: number;
  /** The mean of the score over all permutations of episodes within their scenarios. */
  nullMean: number;
  /** Turn pairs in use: those that every episode of their scenario reaches. */
  samples: number;
}

export interface StrictReport extends EstimateReport {
  /** Of the exact permutation test, corrected for the number of layers. */
  pValue: number;
  /** Evidence in units of its spread over the permutations: how far beyond the smallest p-value it reaches. */
  z: number;
  permutations: number;
}

/** What stands beside the headline, each over the rows it can use; null with too few of them. */
export interface BesideReport {
  /** Beyond the text of A's prompt, as far as its features show it: an estimate. */
  text: EstimateReport | null;
  /** Beyond the text of B's prompt, with A's utterance, as well. */
  words: EstimateReport | null;
  /** A at turn t with B at t + 3 and t + 5: does it fade? */
  lag3: StrictReport | null;
  lag5: StrictReport | null;
}

/** One measure between aligned steps of speakers and listeners, mean over a group's dyads. */
export interface StepMeasureReport {
  /** Its name, with the pass band of an oscillatory one: `cka`, `plv:0.05-0.25`. */
  measure: string;
  value: number;
  /** Distance from 0 minus the mean of that under surrogates; null until these are made, as all that follows. */
  excess: number | null;
  nullMean: number | null;
  nullQ95: number | null;
  pValue: number | null;
  /** Steps by which the listener follows the speaker, of a lagged measure. */
  bestLag?: number;
}

export interface StepReport {
  /** Dyads with a figure, and the aligned steps in their windows. */
  dyads: number;
  steps: number;
  measures: StepMeasureReport[];
  /** Why there is no figure, when there is none. */
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
 * What may be said of a strict score: `counts` where q ≤ 0.05, score and interval lie above 0 and the talk has no fault,
 * `flagged`
 * where q ≤ 0.05 and one of these is not so, `none` where q > 0.05.
 */
export type Verdict = 'counts' | 'flagged' | 'none';

export interface GroupReport {
  sourceModel: string;
  targetModel: string;
  direction: Direction;
  condition: string;
  /** Agents in the episode, and the places of source and target in its speaking order, from 1. */
  agents: number;
  sourceRole: number;
  targetRole: number;
  /**
   * Turns from the state that predicts to the one that is predicted: 1 where two talk, up to n − 1 where n do. Only
   * equal ones compare.
   */
  distance: number;
  /** Turn pairs at hand. */
  samples: number;
  episodes: number;
  scenarios: number;
  /**
   * Of these, the scenarios with at least three episodes: the strict score needs six, for its test permutes the
   * episodes of one scenario.
   */
  exchangeableScenarios: number;
  /** Rows that the last full score could not take in: over the cap, or of another shape than the rest. */
  leftOut?: number;
  paper: PaperReport | null;
  /** Strict mode, beyond scenario, turn and episode: the headline. */
  strict: StrictReport | null;
  /** Cohen's local f² of the strict score. */
  effectSize: number | null;
  /** The strict p-value beside those of the run's other groups: Benjamini–Hochberg. */
  qValue: number | null;
  /** Null until there is a q-value. */
  verdict: Verdict | null;
  /** Null where no sender has described its talk. */
  talk: TalkReport | null;
  /** Null until first computed. */
  beside: BesideReport | null;
  /** Coupling step by step, where the study streams steps; null before the first aligned one. */
  steps: StepReport | null;
  /** Why there is no score, when there is none. */
  reason?: string;
  /** When a score was published last; absent before the first. */
  scoredAtMs?: number;
  /** Oldest first; thinned when it grows long. */
  curve: CurvePoint[];
}

/** The strict excess of a condition minus that of a control, same models and direction. */
export interface DifferenceReport {
  sourceModel: string;
  targetModel: string;
  direction: Direction;
  condition: string;
  agents: number;
  sourceRole: number;
  targetRole: number;
  /** Turns from the state that predicts to the one that is predicted. */
  distance: number;
  against: string;
  difference: number;
  ciLow: number;
  ciHigh: number;
  /** Two-sided, by the jackknife over scenarios. */
  pValue: number;
}

/** The same of two agents without a direction. */
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
 * Where more than two talk: the mean excess over the groups of one distance, with shared scenarios left out together.
 */
export interface DistanceReport {
  condition: string;
  agents: number;
  distance: number;
  /** Groups that the mean is over. */
  figures: number;
  excess: number;
  ciLow: number;
  ciHigh: number;
}

/** Paper mode of a pair: means over its directions and speaking orders. */
export interface PairPaperReport {
  score: number;
  unclipped: number;
  /** Of the `shuffled` and the `pseudo` null; null where one direction has none. */
  nullMean: number | null;
  pseudoMean: number | null;
}

/**
 * Strict mode of a pair: means, and the interval of the mean excess, shared scenarios left out together. It has no
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
 * Two agents without a direction: the mean over both, and over the speaking orders that were spoken, of the last
 * scores. Of groups of more than
 * two there is none: their directions differ in distance.
 */
export interface PairReport {
  /** By name; the order of models and that of places have nothing to do with each other. */
  modelA: string;
  modelB: string;
  roleA: number;
  roleB: number;
  condition: string;
  agents: number;
  /** How many groups there are: 2, or 4 where two models speak in both orders. */
  figures: number;
  /** Turn pairs behind them. */
  samples: number;
  /** Null unless every one of the groups has a figure. */
  paper: PairPaperReport | null;
  strict: PairStrictReport | null;
  /** Which direction has no figure, and why. */
  reason?: string;
}

export interface ScoreReport {
  run: string;
  /**
   * False once the run has ended as planned and everything recorded is in a published score. Until then every figure is one look of many: p and
   * q do not hold.
   */
  provisional: boolean;
  /** True while something recorded is not yet in a published score. */
  pending: boolean;
  /** Groups and dyads that wait for an answer to their newest rows. */
  waiting?: number;
  framesAccepted: number;
  framesDurable: number;
  groups: GroupReport[];
  differences: DifferenceReport[];
  pairs: PairReport[];
  pairDifferences: PairDifferenceReport[];
  distances: DistanceReport[];
}

export interface StreamReport {
  stream: string;
  connected: boolean;
  /** Not connected, and its sender left in order: nothing is missing. */
  done: boolean;
  epoch: number;
  framesAccepted: number;
  framesDurable: number;
  /** Sender's clock minus the analyzer's, and how far it may be off; null before the first exchange. */
  clockOffsetMs: number | null;
  clockBoundMs: number | null;
}

export interface StateReport {
  run: string;
  /** Every run that this analyzer holds, the latest last. */
  runs: string[];
  startedAtMs: number;
  nowMs: number;
  natsUp: boolean;
  streams: StreamReport[];
  episodes: { running: number; finished: number };
  turns: number;
}
