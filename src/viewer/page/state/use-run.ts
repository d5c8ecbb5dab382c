/** The page's state of one run: read once, then updated by the feed a few times a second. */
import { useEffect, useReducer } from 'preact/hooks';
import type { FeedMessage } from '../../view-data.ts';
import { fetchRun, fetchWords, followFeed } from '../api.ts';
import { NOTHING, reduce, type Change, type RunModel } from './run-model.ts';

/** Tokens come by the hundred a second; the eye needs no more pictures than this. */
const PICTURE_MS = 100;
/** Interval between questions for a run that has not begun. */
const AGAIN_MS = 700;

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

/** Reads a run as soon as there is one, and follows it. @returns a function that stops it */
function followRun(name: string, change: (change: Change) => void): () => void {
  const news = createNews((messages) => change({ type: 'news', messages }));
  let isOver = false;
  let again: ReturnType<typeof setTimeout> | undefined;
  const read = async (): Promise<void> => {
    try {
      const run = await fetchRun(name);
      if (isOver) return;
      change(run ? { type: 'read', run } : { type: 'awaited' });
      if (run) news.release();
      else again = setTimeout(() => void read(), AGAIN_MS);
    } catch (fault) {
      change({ type: 'fault', fault: String(fault) });
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

interface News {
  take(message: FeedMessage): void;
  /** The run has been read: what came meanwhile and what comes is handed on. */
  release(): void;
  stop(): void;
}

/**
 * Gathers messages, so that the page is drawn once for many. Until the run is read they wait: a change to a run that
 * is not there yet would be lost. Messages may be applied twice.
 */
function createNews(handOn: (messages: FeedMessage[]) => void): News {
  let waiting: FeedMessage[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReleased = false;
  const flush = (): void => {
    timer = undefined;
    const messages = waiting;
    waiting = [];
    if (messages.length > 0) handOn(messages);
  };
  return {
    take: (message) => {
      waiting.push(message);
      if (isReleased) timer ??= setTimeout(flush, PICTURE_MS);
    },
    release: () => {
      isReleased = true;
      flush();
    },
    stop: () => clearTimeout(timer),
  };
}
