/** Reports a run that stands still: in which episode, for how long, and for whom it waits. */
import { clockText } from './progress-bar.ts';
import type { RunningView, ViewState } from './view-state.ts';

const QUIET_MS = 15_000;

interface Seen {
  /** Number of words and turns so far. */
  heard: number;
  sinceMs: number;
  /** Silence in milliseconds after which the next report is due; doubled after each report. */
  sayMs: number;
}

/**
 * @returns a function that is called repeatedly with the state of the run, and gives the lines to print: on a
 * stall, and when it is over
 */
export function createStallLines(of: { logFolder: string }): (state: ViewState, nowMs: number) => string[] {
  const seen = new Map<string, Seen>();
  const look = (place: Place, nowMs: number): string[] => {
    const was = seen.get(place.name);
    if (was?.heard === place.heard) {
      const quietMs = nowMs - was.sinceMs;
      if (quietMs < was.sayMs) return [];
      while (was.sayMs <= quietMs) was.sayMs *= 2;
      return [`${place.stall(spanText(quietMs))}; the programs’ logs are in ${of.logFolder}`];
    }
    seen.set(place.name, { heard: place.heard, sinceMs: nowMs, sayMs: QUIET_MS });
    const told = was !== undefined && was.sayMs > QUIET_MS;
    return told ? [`${place.name} goes on after ${spanText(nowMs - was.sinceMs)}`] : [];
  };
  return (state, nowMs) => (state.ended ? [] : placesOf(state).flatMap((place) => look(place, nowMs)));
}

/** An episode, or the whole run, from which words are expected. */
interface Place {
  name: string;
  heard: number;
  /** The report after a silence of `span`. */
  stall(span: string): string;
}

function placesOf(state: ViewState): Place[] {
  if (state.running.size > 0)
    return [...state.running].map(([episode, view]) => placeOf(episode, view, state));
  const stall = (span: string): string => `no episode has run for ${span}: the coordinator is to begin one`;
  return [{ name: 'the run', heard: state.finished, stall }];
}

function placeOf(episode: string, view: RunningView, { maxTurns, report }: ViewState): Place {
  const { turns, tokens, speakers, left } = view;
  const notDurable = report ? report.framesAccepted - report.framesDurable : 0;
  const over = left || (maxTurns > 0 && turns >= maxTurns);
  const next = speakers[turns % speakers.length] ?? 'somebody';
  const turn = over ? 'which the coordinator is to close' : `where ${next} is to speak`;
  // Agents pause while nothing is durable, so no word can come before the disk takes the frames that wait.
  const frames = notDurable === 1 ? '1 frame waits' : `${notDurable} frames wait`;
  const waits = notDurable > 0 ? `for the recording waits for its disk: ${frames} to be written` : turn;
  return {
    name: episode,
    heard: turns + tokens,
    stall: (span) => `no word for ${span} in ${episode}, ${waits}`,
  };
}

function spanText(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : clockText(ms / 1000);
}
