/** The report on a group's counterfactual branches. What each figure shows: docs/method.md, rung 3. */

/** A figure with its 95 % interval. */
export interface FigureReport {
  value: number;
  ciLow: number;
  ciHigh: number;
}

/** The share of the variance of the target's state that the source's choice of words makes: the source acts on it. */
export interface InfluenceReport extends FigureReport {
  perLayer: { layer: number; value: number }[];
}

/** How much of that variation the source's own state predicts: the target moves in line with it. */
export interface MatchedReport {
  score: number;
  ciLow: number;
  ciHigh: number;
  /** Of the exact permutation test over all pairs of layers. */
  pValue: number;
  permutations: number;
  perLayer: { layer: number; score: number; targetLayer: number; pValue: number }[];
  /** Scores of the words alone and of the bystander's state; null if there are none. */
  words: number | null;
  bystander: number | null;
  /** The source's state together with the bystander's, or with the words where there is no bystander. */
  both: number | null;
  /** `both` minus the bystander, or minus the words: what is the source's own. */
  adds: (FigureReport & { beyond: 'bystander' | 'words' }) | null;
}

/** A test that may be looked at any time, while the run is open too. */
export interface SequentialReport {
  histories: number;
  /** Natural logarithm of the test martingale. */
  logE: number;
  /** 1 over its largest value so far. */
  pValue: number;
}

/** What moving the source's state before it speaks does to the target's state, at one layer and size. */
export interface PatchReport {
  /**
   * `perturbation`: by a random combination of the leading components of such states. `interchange`: replaced by the
   * same turn's state of another episode.
   */
  kind: string;
  /** Of the source, 1..L. */
  layer: number;
  /** In standard deviations of the components; absent where a state was replaced. */
  size?: number;
  /** Turns, and versions of all of them. */
  histories: number;
  branches: number;
  /** Different utterances of a turn's versions, on average. */
  distinct: number;
  /** The share of the variance of the target's state that the moved state makes: it is a cause of it. */
  influence: InfluenceReport | null;
  /**
   * How much of the target's movement the direction of the source's predicts, in scenarios that were not fitted on; of
   * an interchange by the map that holds where no state was moved.
   */
  follows:
    | (Omit<FigureReport, 'value'> & {
        score: number;
        /** Of the exact test: coefficients permuted within each turn, or donors within scenario and turn. */
        pValue: number;
        permutations: number;
        /** The target's layer that most folds chose. */
        targetLayer: number;
      })
    | null;
  /** Why there is no influence, or nothing that follows. */
  reason?: string;
}

export interface BranchReport {
  /** Turns that branched and were heard out, and the alternatives of all of them. */
  histories: number;
  branches: number;
  influence: InfluenceReport | null;
  matched: MatchedReport | null;
  sequential: SequentialReport | null;
  /** By kind, layer and size; absent where no state was moved. */
  patches?: PatchReport[];
  /** Why there is no influence, or no matched score. */
  reason?: string;
}
