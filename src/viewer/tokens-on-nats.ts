/**
 * Receives tokens from NATS as they are spoken: previews that may be lost. Each run has one subscription while a client
 * shows it.
 */
import { parseMessage, tokenSchema } from '../protocol/nats-messages.ts';
import { EntrainError } from '../protocol/errors.ts';
import { subjects, tokenPlace } from '../protocol/subjects.ts';
import type { Logger } from '../process/log.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { subscribe } from '../transport/nats/subscription.ts';
import type { FeedMessage, TokenView } from './view-data.ts';

type Listener = (message: FeedMessage) => void;

interface Followed {
  listeners: Set<Listener>;
  unsubscribe(): void;
}

/** @returns a function that follows a run; the function that it returns stops it */
export function tokensOnNats(link: NatsLink, log: Logger): (run: string, listener: Listener) => () => void {
  const runs = new Map<string, Followed>();
  return (run, listener) => {
    const followed = runs.get(run) ?? begin(run);
    followed.listeners.add(listener);
    return () => {
      followed.listeners.delete(listener);
      if (followed.listeners.size > 0) return;
      followed.unsubscribe();
      runs.delete(run);
    };
  };

  function begin(run: string): Followed {
    const listeners = new Set<Listener>();
    const take = ({ subject, text }: { subject: string; text: string }): void => {
      const token = readToken(subject, text);
      if (token) for (const listener of listeners) listener({ type: 'token', token });
    };
    const { unsubscribe } = subscribe(link, { subject: subjects.tokens(run), take, log });
    const followed = { listeners, unsubscribe };
    runs.set(run, followed);
    return followed;
  }
}

/** Undefined if a message is not a token, or names an agent other than the one of its subject. */
function readToken(subject: string, message: string): TokenView | undefined {
  try {
    const token = parseMessage(tokenSchema, message, { code: 'MESSAGE_INVALID', what: 'A token' });
    const { episode, turn, agent, text } = token;
    return agent === tokenPlace(subject).agent ? { episode, turn, agent, text } : undefined;
  } catch (error) {
    if (error instanceof EntrainError) return undefined;
    throw error;
  }
}
