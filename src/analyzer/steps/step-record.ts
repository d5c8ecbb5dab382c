/**
 * A line of `scores.jsonl` with the result of one dyad's window. Surrogates can be computed again, so only their
 * summary is kept. One dyad has no p-value: that takes controls in several scenarios.
 */
import { nullOf } from '../../synchrony/stats/surrogates.ts';
import type { SameWords, StepFigure, StepScore } from './step-messages.ts';
import { bestLag } from './step-report.ts';

/** One measure of the line; without surrogates it has no null. */
export interface StepFigureRecord {
  value: number;
  size: number;
  nullMean?: number;
  nullQ95?: number;
  bestLag?: number;
  sameWords?: SameWords;
}

export interface StepRecord extends Pick<
  StepScore,
  | 'type'
  | 'run'
  | 'episode'
  | 'scenario'
  | 'steps'
  | 'seed'
  | 'reasons'
  | 'rows'
  | 'controlRows'
  | 'computedMs'
> {
  atMs: number;
  group: string;
  figures: Record<string, StepFigureRecord>;
}

export function stepRecord({ group, figures, ...score }: StepScore, atMs: number): StepRecord {
  return { atMs, ...score, group: group.key, figures: figureRecords(figures) };
}

export function figureRecords(figures: StepScore['figures']): StepRecord['figures'] {
  return Object.fromEntries(Object.entries(figures).map(([label, figure]) => [label, recordOf(figure)]));
}

function recordOf(figure: StepFigure): StepFigureRecord {
  const { value, size, draws, sameWords } = figure;
  const found = nullOf(size, draws);
  const lag = bestLag([figure]);
  return {
    value,
    size,
    ...('reason' in found ? {} : { nullMean: found.nullMean, nullQ95: found.nullQ95 }),
    ...(lag === undefined ? {} : { bestLag: lag }),
    ...(sameWords ? { sameWords } : {}),
  };
}
