/** What the feed brought since the page was drawn last. */
import type { FeedMessage } from '../../view-data.ts';

/** Tokens come by the hundred a second; the eye needs no more pictures than this. */
const PICTURE_MS = 100;

interface News {
  take(message: FeedMessage): void;
  /** The run is being read: what comes now may be newer than what is read, and waits. */
  hold(): void;
  /** The run has been read: what came meanwhile and what comes is handed on. */
  release(): void;
  stop(): void;
}

/**
 * Gathers messages, so that the page is drawn once for many. While the run is read they wait: a change to a run that is
 * not there yet would be lost, and one that came before an older state of it was read would be undone. Messages may be
 * applied twice.
 */
export function createNews(handOn: (messages: FeedMessage[]) => void): News {
  let waiting: FeedMessage[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isReleased = false;
  const flush = (): void => {
    timer = undefined;
    if (!isReleased) return;
    const messages = waiting;
    waiting = [];
    if (messages.length > 0) handOn(messages);
  };
  return {
    take: (message) => {
      waiting.push(message);
      if (isReleased) timer ??= setTimeout(flush, PICTURE_MS);
    },
    hold: () => {
      isReleased = false;
    },
    release: () => {
      isReleased = true;
      flush();
    },
    stop: () => clearTimeout(timer),
  };
}
