/** What the measures work on and what they answer. */
import type { Matrix } from '../numeric/linear-algebra.ts';

/** What is known of each row of a group, [n] each: small integers. */
export interface RowLabels {
  episode: Int32Array;
  scenario: Int32Array;
  pair: Int32Array;
  turn: Int32Array;
}

/** Aligned turn pairs of one group: row r holds A's state at its turn t and B's at t + lag. */
export interface TurnPairs extends RowLabels {
  n: number;
  /** Per layer [n, dims]. */
  source: Matrix[];
  target: Matrix[];
  /** Features of the text of A's prompt (what was said until then) [n, m]; empty columns allowed. */
  history: Matrix;
  /** Features of the text of B's prompt (with A's utterance) [n, m]; empty columns allowed. */
  reply: Matrix;
  /** What the two kinds of features in `history` were divided by. */
  historySpreads?: TextSpreads;
}

/** Divisors of the two kinds of text features. */
export interface TextSpreads {
  text: number;
  words: number;
  sentence: number;
}

/** One turn of an episode as its speaker's agent recorded it. */
export interface EpisodeTurn {
  turn: number;
  /** Place of the speaker in the speaking order: 0 opens the episode. */
  speaker: number;
  /** [layers, dims]: the state that produces the first token of the turn. */
  states: Float32Array;
  layers: number;
  /** Hashed n-grams of the prompt; empty where the agent sends none. */
  text: Float32Array;
  /** [dims]: mean token embedding of the prompt; empty where the agent sends none. */
  words: Float32Array;
  /** The prompt by a sentence encoder; left out or empty where the agent has none. */
  sentence?: Float32Array;
}

/** All turns of one episode, in any order. */
export interface EpisodeStates {
  episode: number;
  scenario: number;
  pair: number;
  turns: EpisodeTurn[];
}

/** Why there is no number. */
export interface NoScore {
  reason: string;
}

export interface PaperScore {
  /** SyncR²: max over target layers, clipped at 0, mean over source layers. */
  syncR2: number;
  unclipped: number;
  /** [source layers, target layers], mean over splits; NaN where no dim of the target layer varies. */
  map: Matrix;
  /** Per source layer: index of the best target layer. */
  bestTargetLayer: number[];
  perSplit: Matrix[];
  /** Dims of all target layers left out because they hold one value in all rows. */
  degenerateDims: number;
}

/** One source layer of a strict estimate; layers are indices into the arrays that came in. */
export interface StrictLayer {
  layer: number;
  score: number;
  excess: number;
  /** The target layer that most folds chose inside their training part. */
  targetLayer: number;
}

/** The excess without one scenario, on the held-out and on the training side: what intervals are made of. */
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
  /** The mean of the score over all permutations of episodes: what the fit costs. */
  nullMean: number;
  /** 95 % interval of the excess, by the jackknife over scenarios. */
  ci: Interval;
  n: number;
  episodes: number;
  scenarios: number;
  perLayer: StrictLayer[];
  /** Target dimensions left out because they do not vary. */
  degenerateDims: number;
  /**
   * Rows left out: of scenarios with fewer than three episodes, of unfinished episodes, of turns that not every episode
   * reaches.
   */
  droppedRows: number;
  replicates: Replicate[];
}

export interface StrictScore extends StrictEstimate {
  pValue: number;
  /** Evidence in units of its spread over the permutations, mean over source layers. */
  z: number;
  permutations: number;
  /** Their p-values are corrected for the number of layers by the maximum statistic. */
  perLayer: (StrictLayer & { pValue: number })[];
}
