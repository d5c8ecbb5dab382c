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
export const fetchRun = (run: string): Promise<RunView> => ask(`/api/run?${of(run)}`);
export const fetchWords = (run: string, episode: string): Promise<UtteranceView[]> =>
  ask(`/api/words?${of(run, { episode })}`);
export const fetchEffects = (run: string, episode: string): Promise<EffectsView> =>
  ask(`/api/effects?${of(run, { episode })}`);
export const findWords = (run: string, text: string): Promise<UtteranceView[]> =>
  ask(`/api/find?${of(run, { text })}`);

/** Follows a run. @returns a function that stops it */
export function followFeed(
  run: string,
  on: { message(message: FeedMessage): void; connected(isConnected: boolean): void },
): () => void {
  const source = new EventSource(`/api/feed?${of(run)}`);
  source.addEventListener('message', ({ data }: MessageEvent<string>) =>
    on.message(JSON.parse(data) as FeedMessage),
  );
  source.addEventListener('open', () => on.connected(true));
  source.addEventListener('error', () => on.connected(false));
  return () => source.close();
}
