/** Input and result types of the measures. */
import type { Matrix } from '../numeric/linear-algebra.ts';

/** Labels of the rows of a group, [n] each: small integers. */
export interface RowLabels {
  episode: Int32Array;
  /** The scenario with its personas. */
  scenario: Int32Array;
  /** The scenario with any personas; absent: as `scenario`. */
  setting?: Int32Array | undefined;
  pair: Int32Array;
  turn: Int32Array;
}

/** Aligned turn pairs of one group: row r holds A's state at its turn t and B's at turn t + lag. */
export interface TurnPairs extends RowLabels {
  n: number;
  /** One matrix [n, dims] per layer. */
  source: Matrix[];
  target: Matrix[];
  /** Text features of A's prompt (what was said until then) [n, m], those that are not 0 everywhere; may be none. */
  history: Matrix;
  /** Text features of B's prompt (with A's utterance) [n, m]; may have no columns. */
  reply: Matrix;
}

/** One turn of an episode as recorded by its speaker's agent. */
export interface EpisodeTurn {
  turn: number;
  /** Place of the speaker in the speaking order; 0 opens the episode. */
  speaker: number;
  /** [layers, dims]: the state that produces the first token of the turn. */
  states: Float32Array;
  layers: number;
  /** Hashed n-grams of the prompt; empty if the agent sends none. */
  text: Float32Array;
  /** [dims]: mean token embedding of the prompt; empty if the agent sends none. */
  words: Float32Array;
  /** The prompt by a sentence encoder; absent or empty if the agent has none. */
  sentence?: Float32Array;
}

/** All turns of one episode, in any order. */
export interface EpisodeStates {
  episode: number;
  scenario: number;
  pair: number;
  turns: EpisodeTurn[];
}

/** The reason why there is no score. */
export interface NoScore {
  reason: string;
}

export interface PaperScore {
  /** SyncR²: max over target layers, clipped at 0, mean over source layers. */
  syncR2: number;
  unclipped: number;
  /** R² [source layers, target layers], mean over splits; NaN where no dim of the target layer varies. */
  map: Matrix;
  /** For each source layer, the index of the best target layer. */
  bestTargetLayer: number[];
  perSplit: Matrix[];
  /** Labels of the test episodes of each split. */
  splits: number[][];
  /** Number of dims of all target layers that were left out because they are constant over all rows. */
  degenerateDims: number;
}

/** A strict estimate of one source layer; layers are indices into the given arrays. */
export interface StrictLayer {
  layer: number;
  score: number;
  excess: number;
  /** The target layer that most folds chose inside their training part. */
  targetLayer: number;
}

/**
 * The excess without one scenario, on the held-out and on the training side; intervals are computed from these.
 */
export interface Replicate {
  scenario: number;
  excess: number;
}

export interface Interval {
  low: number;
  high: number;
}

export interface StrictEstimate {
  /** R² on held-out scenarios, mean over source layers, never clipped. */
  score: number;
  /** score − nullMean. */
  excess: number;
  /** Mean of the score over all permutations of episodes within their scenarios: the score without coupling. */
  nullMean: number;
  /** 95 % interval of the excess, by the jackknife over scenarios. */
  ci: Interval;
  n: number;
  episodes: number;
  scenarios: number;
  perLayer: StrictLayer[];
  /** Number of constant target dims, which were left out. */
  degenerateDims: number;
  /**
   * Number of rows left out: of scenarios with fewer than three episodes, of unfinished episodes, and of turns
   * that not every episode reaches.
   */
  droppedRows: number;
  replicates: Replicate[];
}

export interface StrictScore extends StrictEstimate {
  pValue: number;
  /** (score − nullMean) / standard deviation over the permutations; mean over source layers. */
  z: number;
  permutations: number;
  /** The p-values are corrected for the number of layers by the maximum statistic. */
  perLayer: (StrictLayer & { pValue: number })[];
}
