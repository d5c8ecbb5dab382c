/** What the main thread and the score worker say to each other; everything here can be cloned between threads. */
import type { BranchReport } from '../../protocol/branch-report.ts';
import type {
  BesideReport,
  DifferenceReport,
  PairDifferenceReport,
  PairReport,
  PaperReport,
  StrictReport,
} from '../../protocol/report.ts';
import type { Replicate } from '../../synchrony/types.ts';
import type { Group } from '../ingest/episode-index.ts';
import type { RowIds, RowsUpdate } from '../ingest/group-rows.ts';

/** Rows for the score worker that owns their group. */
export interface RowsInput extends RowsUpdate {
  type: 'rows';
  run: string;
}

/** The rows of a run are not needed for now; what was counted of them stays. */
export interface RunRelease {
  type: 'release';
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
  /** How many changes of the group's rows this score has seen; the newest is complete. */
  version: number;
  /** Every random choice in it follows from this. */
  seed: number;
  samples: number;
  /** Rows that could not be used: other layers or dimensions than the rest, or over the cap. */
  leftOut: number;
  paper: PaperReport | null;
  strict: StrictReport | null;
  method: Method;
  /**
   * The strict excess without each scenario: what intervals of differences and means are made of; null without a strict
   * score.
   */
  replicates: Replicate[] | null;
  /** Why there is no score, or no strict score. */
  reason?: string;
  rows: RowIds;
  computedMs: number;
}

/** A score could not be computed: the program's fault, not the data's. `score` holds no number and the reason. */
export interface ScoreFault {
  type: 'fault';
  score: GroupScore;
  stack: string;
}

/** What stands beside a group's full score, made more seldom. */
export interface BesideScore {
  type: 'beside';
  run: string;
  group: string;
  /** How many changes of the group's rows it has seen. */
  version: number;
  seed: number;
  samples: number;
  method: Method;
  beside: BesideReport;
  rows: RowIds;
  computedMs: number;
  /** The program's fault, when it could not be computed: nothing stands beside then. */
  stack?: string;
}

/** The figures of a group's counterfactual branches. */
export interface BranchScore {
  type: 'branches';
  run: string;
  group: Group;
  /** How many changes of the group's histories it has seen. */
  version: number;
  seed: number;
  method: Method;
  branches: BranchReport;
  /** The histories it was computed from, as `episode turn`, in order of arrival. */
  rows: string[];
  computedMs: number;
  /** The program's fault, when it could not be computed. */
  stack?: string;
}

/** What the full scores of a pair's groups give together. It is made of them alone, so it needs no rows. */
export interface PairScore extends PairReport {
  type: 'pair';
  run: string;
  method: Method;
  /** Names the pair. */
  pair: string;
  /** Group → the version of the full score that went in. */
  of: Record<string, number>;
}

interface DifferenceLine {
  type: 'difference';
  run: string;
  method: Method;
  /** Group → the version of its score. */
  of: Record<string, number>;
}

/** A difference between two conditions: of one direction, or of the mean over both. */
export type DifferenceScore = DifferenceLine &
  (({ between: 'dyads' } & DifferenceReport) | ({ between: 'pairs' } & PairDifferenceReport));

export type ScoreAnswer = GroupScore | ScoreFault | BesideScore | BranchScore;
