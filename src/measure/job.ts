/** What a measurement of SyncR² is given, and what comes of it. */
import type { LinearAlgebra } from '../numeric/linear-algebra.ts';
import type { Progress } from '../process/progress.ts';
import type { NoScore, PaperScore, StrictScore } from '../synchrony/types.ts';
import type { Json, LayerNames } from './answers.ts';
import { wholeNumber, type MeasureFlags } from './arguments.ts';

/** Values for flags that are absent. */
export interface Fallbacks {
  seed: number;
  permutations: number;
  /** Least number of turn pairs of an episode that is used. */
  shortest: number;
}

export const OFFLINE: Fallbacks = { seed: 1, permutations: 999, shortest: 2 };

export interface MeasureJob extends Pick<Progress, 'say'> {
  flags: MeasureFlags;
  fallbacks: Fallbacks;
  algebra: LinearAlgebra;
  /** Layer numbers; by default counted from 0. */
  layers?: LayerNames;
  /** Label → id of the episodes, by which splits are named. */
  episodeIds?: ReadonlyMap<string, number>;
}

/** The JSON to print, and the score in it. */
export type Measured =
  | { mode: 'paper'; answer: Json; score: PaperScore | NoScore; shuffled: number | null }
  | { mode: 'strict'; answer: Json; score: StrictScore | NoScore };

export const modeOf = ({ mode, splits }: MeasureFlags): string =>
  mode ?? (splits === undefined ? 'strict' : 'paper');

/** The seed from the flags, or the fallback. */
export function seedOf({ flags, fallbacks }: Pick<MeasureJob, 'flags' | 'fallbacks'>): number {
  return wholeNumber('seed', flags.seed, { least: 0, fallback: fallbacks.seed });
}
