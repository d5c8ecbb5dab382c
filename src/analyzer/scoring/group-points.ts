/**
 * Keeps the point scores of a worker's groups fresh between two full ones: a turn that comes is in its group's score within milliseconds, without
 * a new fit. The full score of another group may be at work meanwhile; point scores are made while it lets messages in.
 */
import type { Clock } from '../../process/clock.ts';
import type { GroupRows, OwnedRow } from '../ingest/group-rows.ts';
import { grownEpisodes, growPoint, pointOf, startPointGroup, type PointGroup } from './point-group.ts';
import type { FrozenFit, PointScore } from './messages.ts';

export interface GroupPointsOptions {
  clock: Clock;
  /** The rows of a group as they stand; undefined once they were released. */
  rowsOf(run: string, group: string): GroupRows | undefined;
  publish(score: PointScore): void;
}

export interface GroupPoints {
  /** A full score was made: what came since its rows were chosen is caught up with. */
  takeFit(fit: FrozenFit): void;
  takeRows(run: string, group: string, rows: readonly OwnedRow[]): void;
  release(run: string): void;
  stop(): void;
}

interface Kept {
  point: PointGroup;
  /** Episodes that have grown since the point score was last published. */
  grown: Set<string>;
}

export function createGroupPoints(options: GroupPointsOptions): GroupPoints {
  /** Run → group → its point score. */
  const runs = new Map<string, Map<string, Kept>>();
  let armed: NodeJS.Immediate | undefined;
  const flush = (): void => {
    armed = undefined;
    for (const groups of runs.values()) for (const kept of groups.values()) publishGrown(kept, options);
  };
  const arm = (kept: Kept): void => {
    // Whatever else waits in the queue goes into the same score.
    if (kept.grown.size > 0) armed ??= setImmediate(flush);
  };
  return {
    takeFit: (fit) => {
      const rows = options.rowsOf(fit.run, fit.group);
      if (!rows) return;
      const kept = { point: startPointGroup(fit), grown: new Set(grownEpisodes(fit, rows)) };
      const groups = runs.get(fit.run) ?? new Map<string, Kept>();
      runs.set(fit.run, groups.set(fit.group, kept));
      arm(kept);
    },
    takeRows: (run, group, rows) => {
      const kept = runs.get(run)?.get(group);
      if (!kept) return;
      for (const { episode } of rows) kept.grown.add(episode);
      arm(kept);
    },
    release: (run) => void runs.delete(run),
    stop: () => clearImmediate(armed),
  };
}

function publishGrown({ point, grown }: Kept, { clock, rowsOf, publish }: GroupPointsOptions): void {
  const group = grown.size > 0 ? rowsOf(point.fit.run, point.fit.group) : undefined;
  if (!group) return;
  const startedMs = clock.monotonicMs();
  const hasGrown = growPoint(point, grown, { group });
  grown.clear();
  const score = hasGrown ? pointOf(point, group, clock.monotonicMs() - startedMs) : undefined;
  if (score) publish(score);
}
