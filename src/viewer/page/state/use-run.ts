/** The page's state of one run: read once, then updated by the feed a few times a second. */
import { useEffect, useReducer } from 'preact/hooks';
import { fetchRun, fetchWords, followFeed, NO_RUN } from '../api.ts';
import { createNews } from './news.ts';
import { NOTHING, reduce, type Change, type RunModel } from './run-model.ts';

/** Interval between questions for a run that has not begun. */
const AGAIN_MS = 700;
/** Interval between questions where one was not answered. */
const AFTER_FAULT_MS = 2000;

export function useRun(name: string, episode: string | undefined): RunModel {
  const [model, change] = useReducer(reduce, NOTHING);
  useEffect(() => followRun(name, change), [name]);
  const { readings } = model;
  useEffect(() => {
    if (readings === 0 || episode === undefined) return;
    void fetchWords(name, episode)
      .then((words) => change({ type: 'words', episode, words }))
      .catch((fault: unknown) => change({ type: 'fault', fault: String(fault) }));
  }, [name, episode, readings]);
  return model;
}

function changeOf(run: Awaited<ReturnType<typeof fetchRun>>): Change {
  if (run === NO_RUN) return { type: 'fault', fault: NO_RUN };
  return run ? { type: 'read', run } : { type: 'awaited' };
}

/** Reads a run as soon as there is one, and follows it. @returns a function that stops it */
function followRun(name: string, change: (change: Change) => void): () => void {
  const news = createNews((messages) => change({ type: 'news', messages }));
  let isOver = false;
  let again: ReturnType<typeof setTimeout> | undefined;
  const read = async (): Promise<void> => {
    clearTimeout(again);
    news.hold();
    try {
      const run = await fetchRun(name);
      if (isOver) return;
      change(changeOf(run));
      if (run) news.release();
      else again = setTimeout(() => void read(), AGAIN_MS);
    } catch (fault) {
      if (isOver) return;
      change({ type: 'fault', fault: String(fault) });
      again = setTimeout(() => void read(), AFTER_FAULT_MS);
    }
  };
  let wasLost = false;
  const connected = (isConnected: boolean): void => {
    // What was said while the feed was lost is only in the folder.
    if (isConnected && wasLost) void read();
    wasLost = !isConnected;
    change({ type: 'connected', isConnected });
  };
  void read();
  const stop = followFeed(name, { message: news.take, connected });
  return () => {
    isOver = true;
    clearTimeout(again);
    news.stop();
    stop();
  };
}
