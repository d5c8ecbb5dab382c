/** Messages between the main thread and the step worker; everything here can be cloned between threads. */
import type { EpisodeFrame, StepsFrame, TurnFrame } from '../../protocol/stream/frames.ts';
import type { Group, Origin } from '../ingest/episode-index.ts';

/** The part of a turn frame that is needed here. */
export type TurnPlace = Pick<TurnFrame, 'type' | 'episode' | 'turn' | 'seating'>;

/** A durable steps frame. */
export interface StepsInput {
  type: 'frame';
  run: string;
  origin: Origin;
  frame: StepsFrame;
}

/** Any other frame, without its content: only which turn its stream has reached. */
export interface PlaceInput {
  type: 'frame';
  run: string;
  origin: Origin;
  frame: EpisodeFrame | TurnPlace;
}

export type StepInput = StepsInput | PlaceInput;

/** A steps frame was skipped because the worker is behind; its turn is not measured. */
export interface StepSkip {
  type: 'skip';
  run: string;
  origin: Origin;
  frame: Pick<StepsFrame, 'episode' | 'turn'>;
}

/**
 * Turn → the last frames of speaker and listener that were used (STREAM EPOCH SEQ), and how many of the turn's
 * aligned steps, the last ones, are in the window.
 */
export type StepRows = Record<string, [speaker: string, listener: string, steps: number]>;

/** The same of the window of steps that have a control, whose last frame comes third. */
export type ControlRows = Record<string, [speaker: string, listener: string, control: string, steps: number]>;

/**
 * A measure over the steps that have a control: of speaker and listener, and of the speaker and the same listener as it
 * reads the same words behind the history of another episode. Means over layers.
 */
export interface SameWords {
  value: number;
  control: number;
}

/** A measure over the window of one dyad: the mean over layers. */
export interface StepFigure {
  value: number;
  /**
   * Mean over layers of the distance from 0; for a matrix, of the largest entry between a channel of A and one of B.
   */
  size: number;
  /** The same for each surrogate; empty if only the value was recomputed. */
  draws: number[];
  /** For a lagged measure: the correlation at lags −k … k. */
  curve?: number[];
  /** Absent without enough steps that have a control. */
  sameWords?: SameWords;
}

/** Score of the window of one dyad. */
export interface StepScore {
  type: 'steps';
  run: string;
  group: Group;
  episode: string;
  scenario: string;
  /** Number of aligned steps in the window. */
  steps: number;
  seed: number;
  /** Key: the measure as in the setting. Empty with too few steps. */
  figures: Record<string, StepFigure>;
  /** Why a measure has no figure. */
  reasons: Record<string, string>;
  rows: StepRows;
  /** Absent where no step has a control. */
  controlRows?: ControlRows;
  computedMs: number;
}

/** Progress of the worker: bytes taken from its queue, and how many frames of each run are in published scores. */
export interface StepNotice {
  type: 'step-notice';
  takenBytes: number;
  /** Run → number of steps frames, when none of them waits. */
  settled: Record<string, number>;
  /** Run → number of dyads whose newest turns are in no published score; absent if unchanged. */
  waiting?: Record<string, number>;
}

export interface StepFault {
  type: 'step-fault';
  run: string;
  group: string;
  stack: string;
}

export type StepAnswer = StepScore | StepNotice | StepFault;
