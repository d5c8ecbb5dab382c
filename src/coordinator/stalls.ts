/**
 * Finds episodes in which no turn comes any more, so that the log says where a run stands still and for which agent
 * it waits.
 */
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import type { RunMetrics } from './metrics.ts';
import { countTurns, openEpisodes } from './state/decide.ts';
import type { RunState } from './state/run-state.ts';

export interface Stall {
  episode: string;
  /** Time since its last turn, or since it began: whole minutes, in seconds. */
  quietSeconds: number;
  /** The agent whose turn it is. */
  waitingFor: string;
}

const QUIET_MS = 60_000;
const PERIOD_MS = 1000;

/**
 * @returns a function that is given the state repeatedly, and gives the episodes to warn about: each once a minute
 */
export function createStallSearch(): (state: RunState, nowMs: number) => Stall[] {
  const seen = new Map<string, { turns: number; sinceMs: number; told: number }>();
  return (state, nowMs) =>
    openEpisodes(state).flatMap(({ episode, now }) => {
      const turns = now.spoken.length;
      const was = seen.get(episode.id);
      if (was?.turns !== turns) {
        seen.set(episode.id, { turns, sinceMs: nowMs, told: 0 });
        return [];
      }
      const minutes = Math.floor((nowMs - was.sinceMs) / QUIET_MS);
      if (minutes <= was.told) return [];
      was.told = minutes;
      const waitingFor = now.holders[turns % episode.order.length]?.agent ?? '';
      return [{ episode: episode.id, quietSeconds: (minutes * QUIET_MS) / 1000, waitingFor }];
    });
}

/** Logs stalls, and keeps the time of the last turn for the metrics. */
export function watchTurns(of: { state(): RunState; metrics: RunMetrics; clock: Clock; log: Logger }): {
  stop(): void;
} {
  const { state, metrics, clock, log } = of;
  const search = createStallSearch();
  let turns = countTurns(state());
  metrics.turnAt(clock.nowMs());
  const timer = setInterval(() => {
    for (const stall of search(state(), clock.monotonicMs())) log.warn(stall, 'no turn comes');
    const now = countTurns(state());
    if (now !== turns) metrics.turnAt(clock.nowMs());
    turns = now;
  }, PERIOD_MS);
  return { stop: () => clearInterval(timer) };
}
