/** What the main thread and the step worker say to each other; everything here can be cloned between threads. */
import type { EpisodeFrame, StepsFrame, TurnFrame } from '../../protocol/stream/frames.ts';
import type { Group, Origin } from '../ingest/episode-index.ts';

/** Of a turn frame only its place matters here. */
export type TurnPlace = Pick<TurnFrame, 'type' | 'episode' | 'turn' | 'seating'>;

/** A durable frame of steps. */
export interface StepsInput {
  type: 'frame';
  run: string;
  origin: Origin;
  frame: StepsFrame;
}

/** The place of any other frame. */
export interface PlaceInput {
  type: 'frame';
  run: string;
  origin: Origin;
  frame: EpisodeFrame | TurnPlace;
}

export type StepInput = StepsInput | PlaceInput;

/** A frame of steps was left out because the worker is behind: its turn is not measured. */
export interface StepSkip {
  type: 'skip';
  run: string;
  origin: Origin;
  frame: Pick<StepsFrame, 'episode' | 'turn'>;
}

/**
 * Turn → the last frame of the speaker and of the listener that was used, as STREAM EPOCH SEQ, and how many of their aligned steps stand in the
 * window: the last ones.
 */
export type StepRows = Record<string, [speaker: string, listener: string, steps: number]>;

/** A measure over the window of one dyad, mean over layers. */
export interface StepFigure {
  value: number;
  /** Mean over layers of the distance from 0; of a matrix, of the largest between a channel of A and one of B. */
  size: number;
  /** The same of each surrogate; none yet where only the value was made anew. */
  draws: number[];
  /** Of a lagged measure: the correlation at lags −k … k. */
  curve?: number[];
}

/** The window of one dyad, scored. */
export interface StepScore {
  type: 'steps';
  run: string;
  group: Group;
  episode: string;
  /** Aligned steps in the window. */
  steps: number;
  seed: number;
  /** By the name that a setting gives a measure; empty with too few steps. */
  figures: Record<string, StepFigure>;
  /** Why a measure has no figure here. */
  reasons: Record<string, string>;
  rows: StepRows;
  computedMs: number;
}

/** What the worker has dealt with: bytes taken off its queue, and how many frames of each run are in published scores. */
export interface StepNotice {
  type: 'step-notice';
  takenBytes: number;
  /** Run → frames of steps, when nothing of it waits. */
  settled: Record<string, number>;
  /** Run → dyads whose newest turns are in no published score; left out where nothing is said of them. */
  waiting?: Record<string, number>;
}

export interface StepFault {
  type: 'step-fault';
  run: string;
  group: string;
  stack: string;
}

export type StepAnswer = StepScore | StepNotice | StepFault;
