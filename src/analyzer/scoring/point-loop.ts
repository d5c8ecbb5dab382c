/**
 * Keeps point scores fresh: a turn that comes is in its group's score within milliseconds, without a new fit. It runs in a
 * worker of its own, so that no full score stands in its way.
 */
import type { Clock } from '../../process/clock.ts';
import { emptyRunRows, takeFrameRows, withoutRows, type RunRows } from '../ingest/group-rows.ts';
import { grownEpisodes, growPoint, pointOf, startPointGroup, type PointGroup } from './point-group.ts';
import type { FrozenFit, PointScore, RunRelease, ScoreInput } from './messages.ts';

export interface PointLoopOptions {
  clock: Clock;
  publish(score: PointScore): void;
}

export interface PointLoop {
  take(input: ScoreInput | FrozenFit | RunRelease): void;
}

interface RunPoints extends RunRows {
  points: Map<string, PointGroup>;
  /** Group → episodes that have grown since it was last published. */
  grown: Map<string, Set<string>>;
}

export function createPointLoop(options: PointLoopOptions): PointLoop {
  const runs = new Map<string, RunPoints>();
  let armed = false;
  const flush = (): void => {
    armed = false;
    for (const run of runs.values()) publishGrown(run, options);
  };
  return {
    take: (input) => {
      const run = runs.get(input.run) ?? pointsOf(emptyRunRows());
      runs.set(input.run, input.type === 'release' ? pointsOf(withoutRows(run)) : run);
      if (input.type === 'release') return;
      if (input.type === 'frozen') takeFit(run, input);
      else takeFrame(run, input);
      // Whatever else waits in the queue goes into the same score.
      if (!armed && run.grown.size > 0) setImmediate(flush);
      armed ||= run.grown.size > 0;
    },
  };
}

const pointsOf = (rows: RunRows): RunPoints => ({ ...rows, points: new Map(), grown: new Map() });

/** What came between the fit's rows and now is caught up with. */
function takeFit(run: RunPoints, fit: FrozenFit): void {
  const group = run.groups.get(fit.group);
  if (!group) return;
  run.points.set(fit.group, startPointGroup(fit));
  const episodes = grownEpisodes(fit, group);
  if (episodes.length > 0) run.grown.set(fit.group, new Set(episodes));
}

function takeFrame(run: RunPoints, input: ScoreInput): void {
  for (const { group, episode } of takeFrameRows(run, input).added) {
    if (!run.points.has(group.key)) continue;
    const grown = run.grown.get(group.key) ?? new Set();
    run.grown.set(group.key, grown.add(episode));
  }
}

function publishGrown(run: RunPoints, { clock, publish }: PointLoopOptions): void {
  for (const [key, episodes] of run.grown) {
    const point = run.points.get(key);
    const group = run.groups.get(key);
    if (!point || !group) continue;
    const startedMs = clock.monotonicMs();
    if (!growPoint(point, episodes, { group, book: run.book })) continue;
    const score = pointOf(point, group, clock.monotonicMs() - startedMs);
    if (score) publish(score);
  }
  run.grown.clear();
}
