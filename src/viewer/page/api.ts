/** Requests of the page to the viewer's server. */
import type { EffectsView, FeedMessage, RunEntry, RunView, UtteranceView } from '../view-data.ts';

async function ask<T>(path: string): Promise<T> {
  const answer = await fetch(path, { headers: { accept: 'application/json' } });
  if (!answer.ok) throw new Error(`${answer.status} for ${path}`);
  return (await answer.json()) as T;
}

const of = (run: string, more: Record<string, string> = {}): string =>
  new URLSearchParams({ run, ...more }).toString();

export const fetchRuns = (): Promise<RunEntry[]> => ask('/api/runs');
/** That there is no run of a name. */
export const NO_RUN = 'no run';

/** @returns nothing while the run is awaited: its programs start */
export async function fetchRun(run: string): Promise<RunView | typeof NO_RUN | undefined> {
  const answer = await fetch(`/api/run?${of(run)}`, { headers: { accept: 'application/json' } });
  if (answer.status === 404) return NO_RUN;
  if (!answer.ok) throw new Error(`${answer.status} for the run ${run}`);
  const found = (await answer.json()) as RunView | Record<string, never>;
  return 'run' in found ? (found as RunView) : undefined;
}

export const fetchWords = (run: string, episode: string): Promise<UtteranceView[]> =>
  ask(`/api/words?${of(run, { episode })}`);
export const fetchEffects = (run: string, episode: string): Promise<EffectsView> =>
  ask(`/api/effects?${of(run, { episode })}`);
export const findWords = (run: string, text: string): Promise<UtteranceView[]> =>
  ask(`/api/find?${of(run, { text })}`);

/** Interval between attempts where the server refuses; a browser tries no more by itself then. */
const AGAIN_MS = 2000;

/** Follows a run. @returns a function that stops it */
export function followFeed(
  run: string,
  on: { message(message: FeedMessage): void; connected(isConnected: boolean): void },
): () => void {
  let again: ReturnType<typeof setTimeout> | undefined;
  let source = open();
  function open(): EventSource {
    const opened = new EventSource(`/api/feed?${of(run)}`);
    opened.addEventListener('message', ({ data }: MessageEvent<string>) =>
      on.message(JSON.parse(data) as FeedMessage),
    );
    opened.addEventListener('open', () => on.connected(true));
    opened.addEventListener('error', () => {
      on.connected(false);
      if (opened.readyState === EventSource.CLOSED) again = setTimeout(() => (source = open()), AGAIN_MS);
    });
    return opened;
  }
  return () => {
    clearTimeout(again);
    source.close();
  };
}
