/** What the measures work on and what they answer. This folder is pure mathematics and imports nothing. */

/** Float64 matrix, row-major [rows, cols]. */
export interface Matrix {
  rows: number;
  cols: number;
  data: Float64Array;
}

/** The linear algebra that a measure is handed: plain TypeScript in tests, ONNX Runtime for real work. */
export interface LinearAlgebra {
  /** a [n, k] · bᵀ with b [m, k] → [n, m]. */
  multiplyTransposed(a: Matrix, b: Matrix): Promise<Matrix>;
  /** a [n, k] · b [k, m] → [n, m]. */
  multiply(a: Matrix, b: Matrix): Promise<Matrix>;
  /** Solves (s + λI) x = b for symmetric positive definite s [n, n], b [n, m] → [n, m]. */
  solveRidge(s: Matrix, lambda: number, b: Matrix): Promise<Matrix>;
}

/** Aligned turn pairs of one group: row r holds A's state at its turn t and B's at t + lag. */
export interface TurnPairs {
  n: number;
  /** Per layer [n, dims]. */
  source: Matrix[];
  target: Matrix[];
  /** Features of the text of A's prompt (what was said until then) [n, m]; empty columns allowed. */
  history: Matrix;
  /** Features of the text of B's prompt (with A's utterance) [n, m]. */
  reply: Matrix;
  /** Row labels, [n] each: small integers. */
  episode: Int32Array;
  scenario: Int32Array;
  pair: Int32Array;
  turn: Int32Array;
}

/** Why there is no number. */
export interface NoScore {
  reason: string;
}

export interface PaperScore {
  /** SyncR²: max over target layers, clipped at 0, mean over source layers. */
  syncR2: number;
  unclipped: number;
  /** [source layers, target layers], mean over splits. */
  map: Matrix;
  /** Per source layer: index of the best target layer. */
  bestTargetLayer: number[];
  perSplit: Matrix[];
}

export interface StrictScore {
  /** Mean over source layers, never clipped. */
  score: number;
  /** score − mean of its permutation null. */
  excess: number;
  pValue: number;
  nullMean: number;
  nullQ95: number;
  /** Bootstrap over scenarios. */
  ci: { low: number; high: number };
  n: number;
  episodes: number;
  scenarios: number;
  perLayer: { layer: number; score: number; excess: number; pValue: number; targetLayer: number }[];
  /** Target dimensions left out because they do not vary. */
  degenerateDims: number;
}
