/** The feed of one run as server-sent events. Previews are shed for a client that reads too slowly; nothing else is. */
import type { EventStream } from '../transport/http/server-sent-events.ts';
import type { FeedMessage } from './view-data.ts';

/** Most feeds at the same time; further ones are refused. */
export const MOST_FEEDS = 200;

/** Interval of comments, which keep proxies from closing the connection. */
const BEAT_MS = 15_000;

export interface Feeds {
  readonly open: number;
  /** Sends changes to a client until it closes the connection. */
  begin(answer: EventStream, follow: (send: (messages: FeedMessage[]) => void) => () => void): void;
  close(): void;
}

export function createFeeds(counts: { shed(): void }): Feeds {
  const answers = new Set<EventStream>();
  const beat = setInterval(() => {
    for (const answer of answers) answer.send(':\n\n');
  }, BEAT_MS).unref();
  return {
    get open() {
      return answers.size;
    },
    begin: (answer, follow) => {
      answers.add(answer);
      const stop = follow((messages) => {
        for (const message of messages)
          if (!answer.send(eventText(message), message.type === 'token')) counts.shed();
      });
      answer.onClose(() => {
        stop();
        answers.delete(answer);
      });
    },
    close: () => {
      clearInterval(beat);
      for (const answer of answers) answer.close();
    },
  };
}

/** All clients of a run get the same message, so its text is made once. */
const texts = new WeakMap<FeedMessage, string>();

function eventText(message: FeedMessage): string {
  const text = texts.get(message) ?? `data: ${JSON.stringify(message)}\n\n`;
  texts.set(message, text);
  return text;
}
