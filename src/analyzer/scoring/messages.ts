/** What the main thread and the score worker say to each other; everything here can be cloned between threads. */
import type { EpisodeFrame, TurnFrame } from '../../protocol/stream/frames.ts';
import type {
  BesideReport,
  PairReport,
  PaperReport,
  PrequentialReport,
  StrictReport,
} from '../../protocol/report.ts';
import type { Drawable } from '../../synchrony/stats/bootstrap.ts';
import type { StrictFrozen } from '../../synchrony/online/point-score.ts';
import type { Group, Origin } from '../ingest/episode-index.ts';

/** A durable frame that scores may need; `steps` frames stay on the main thread. */
export interface ScoreInput {
  type: 'frame';
  run: string;
  origin: Origin;
  frame: EpisodeFrame | TurnFrame;
  /** Read back for a run whose rows were released: it changes nothing that was counted before. */
  again?: true;
}

/** The rows of a run are not needed for now; what was counted of them stays. */
export interface RunRelease {
  type: 'release';
  run: string;
}

/** The rows a score was computed from, so that a replay can find them: per episode SOURCE>TARGET turns, in order. */
export type RowIds = Record<string, string[]>;

/** `taken`: rows that were known before those which came with this score; 0 where it began anew. */
export interface PrequentialAnswer extends PrequentialReport {
  taken: number;
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
  prequential: PrequentialAnswer | null;
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

/** A full score's frozen part: what point scores go on from. It is made by a score worker for the point worker. */
export interface FrozenFit {
  type: 'frozen';
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
