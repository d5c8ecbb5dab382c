/** What the main thread and the score worker say to each other; everything here can be cloned between threads. */
import type { BesideReport, PairReport, PaperReport, StrictReport } from '../../protocol/report.ts';
import type { Drawable } from '../../synchrony/stats/bootstrap.ts';
import type { StrictFrozen } from '../../synchrony/online/point-score.ts';
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
  /** What differences between conditions are drawn from; null without a strict score. */
  drawable: Drawable | null;
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

/** A full score's frozen part: what point scores go on from. */
export interface FrozenFit {
  run: string;
  group: string;
  version: number;
  rows: RowIds;
  /** Layers and dimensions that its rows have. */
  shape: string;
  frozen: StrictFrozen;
}

/** The strict score with the rows that came since the full one: each predicted by a fit that never saw its scenario. */
export interface PointScore {
  type: 'point';
  run: string;
  group: string;
  /** The version of the full score that it goes on from. */
  base: number;
  version: number;
  score: number;
  samples: number;
  /** Rows since the full score. */
  rows: RowIds;
  computedMs: number;
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
  beside: BesideReport;
  rows: RowIds;
  computedMs: number;
  /** The program's fault, when it could not be computed: nothing stands beside then. */
  stack?: string;
}

/** What the full scores of a pair's groups give together. It is made of them alone, so it needs no rows. */
export interface PairScore extends PairReport {
  type: 'pair';
  run: string;
  /** Names the pair. */
  pair: string;
  /** Group → the version of the full score that went in. */
  of: Record<string, number>;
}

export type ScoreAnswer = GroupScore | ScoreFault | PointScore | BesideScore;
