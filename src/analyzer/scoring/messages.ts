/** What the main thread and the score worker say to each other; everything here can be cloned between threads. */
import type { BranchReport } from '../../protocol/reports/branch-report.ts';
import type {
  BesideReport,
  LayerMapReport,
  DifferenceReport,
  PairDifferenceReport,
  PairReport,
  PaperReport,
  StrictReport,
} from '../../protocol/reports/score-report.ts';
import type { Replicate } from '../../synchrony/types.ts';
import type { Group } from '../ingest/episode-index.ts';
import type { RowIds, RowsUpdate } from '../ingest/group-rows.ts';

/** Rows for the score worker that owns their group. */
export interface RowsInput extends RowsUpdate {
  type: 'rows';
  run: string;
}

/** The rows of a run are not needed for now; counts are kept. */
export interface RunRelease {
  type: 'release';
  run: string;
}

/** Nothing of a run is kept. If it sends again, everything recorded of it comes first, as after a restart. */
export interface RunForgotten {
  type: 'forget';
  run: string;
}

/** How the strict figures of a line were made: a replay makes them by the method that the line names. */
export interface Method {
  name: string;
  version: number;
}

export interface GroupScore {
  type: 'score';
  run: string;
  group: Group;
  /** Number of changes of the group's rows that this score includes. */
  version: number;
  /** Seed of all random choices of this score. */
  seed: number;
  samples: number;
  /** Rows that could not be used: of another shape than the rest, or above the row limit. */
  leftOut: number;
  paper: PaperReport | null;
  strict: StrictReport | null;
  method: Method;
  /**
   * The strict excess without each scenario, from which intervals of differences and means are made; null without a
   * strict score.
   */
  replicates: Replicate[] | null;
  /** Why there is no score, or no strict score. */
  reason?: string;
  rows: RowIds;
  computedMs: number;
}

/**
 * A score could not be computed, by a fault of the program and not of the data. `score` holds the reason and no
 * figure.
 */
export interface ScoreFault {
  type: 'fault';
  score: GroupScore;
  stack: string;
}

/** Secondary analyses of a group, computed less often than its score. */
export interface BesideScore {
  type: 'beside';
  run: string;
  group: string;
  /** Number of changes of the group's rows that they include. */
  version: number;
  seed: number;
  samples: number;
  method: Method;
  beside: BesideReport;
  /** Null without a strict score. */
  layerMap: LayerMapReport | null;
  rows: RowIds;
  computedMs: number;
  /** Stack trace of a fault of the program; then there are no analyses. */
  stack?: string;
}

/** The figures of a group's counterfactual branches. */
export interface BranchScore {
  type: 'branches';
  run: string;
  group: Group;
  /** Number of changes of the group's histories up to this score. */
  version: number;
  seed: number;
  method: Method;
  branches: BranchReport;
  /** History → alternative → how far it moves the listener, in its spreads. */
  moves: Record<string, Record<string, number>>;
  /** The histories it was computed from, as `episode turn`, in order of arrival. */
  rows: string[];
  computedMs: number;
  /** The program's fault, when it could not be computed. */
  stack?: string;
}

/** The means over the full scores of a pair's groups, from which alone they are made. */
export interface PairScore extends PairReport {
  type: 'pair';
  run: string;
  method: Method;
  /** Key of the pair. */
  pair: string;
  /** Group → version of the full score that was used. */
  of: Record<string, number>;
}

interface DifferenceLine {
  type: 'difference';
  run: string;
  method: Method;
  /** Group → version of its score. */
  of: Record<string, number>;
}

/** A difference between two conditions, of one direction or of the mean over both. */
export type DifferenceScore = DifferenceLine &
  (({ between: 'dyads' } & DifferenceReport) | ({ between: 'pairs' } & PairDifferenceReport));

export type ScoreAnswer = GroupScore | ScoreFault | BesideScore | BranchScore;
