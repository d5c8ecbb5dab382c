/**
 * Notices that the coordinator of a run is gone for good: it answers no renewal, and nothing is said in the run any
 * more. A coordinator that only starts again finds its agents as they were.
 */
import type { Clock } from '../process/clock.ts';

export interface CoordinatorWatch {
  /** The coordinator answered, or nobody was there to answer; a NATS server that is away says neither. */
  asked(isThere: boolean): void;
  /** Something was said in the run. */
  talked(): void;
  stop(): void;
}

export interface CoordinatorWatchOptions {
  clock: Clock;
  /** How long both may be wanting. */
  leaveMs: number;
  /** Called once. */
  onGone(): void;
}

export function createCoordinatorWatch({
  clock,
  leaveMs,
  onGone,
}: CoordinatorWatchOptions): CoordinatorWatch {
  let talkedMs = clock.monotonicMs();
  let goneMs: number | undefined;
  const look = (): void => {
    const nowMs = clock.monotonicMs();
    if (goneMs === undefined || nowMs - goneMs < leaveMs || nowMs - talkedMs < leaveMs) return;
    clearInterval(timer);
    onGone();
  };
  const timer = setInterval(look, Math.min(10_000, leaveMs / 2)).unref();
  return {
    asked: (isThere) => {
      if (isThere) goneMs = undefined;
      else goneMs ??= clock.monotonicMs();
    },
    talked: () => (talkedMs = clock.monotonicMs()),
    stop: () => clearInterval(timer),
  };
}
