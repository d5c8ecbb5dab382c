/** A plain subscription that outlives a right which is taken away: it is made again until the server grants it. */
import type { Subscription } from 'nats';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from './connection.ts';
import { FAULT_ADVICE, natsFault } from './faults.ts';

export interface SubscribeOptions {
  subject: string;
  take(message: PlainMessage): void;
  log: Logger;
  /** How long to wait before it is tried again. */
  againMs?: number;
}

export interface PlainMessage {
  subject: string;
  text: string;
  /** Answers a request. */
  respond(text: string): void;
}

const AGAIN_MS = 2000;

/** @returns what ends it */
export function subscribe(link: NatsLink, options: SubscribeOptions): { unsubscribe(): void } {
  const { subject, take, log, againMs = AGAIN_MS } = options;
  let current: Subscription | undefined;
  let timer: NodeJS.Timeout | undefined;
  let refusals = 0;
  const open = (): void => {
    if (link.connection.isClosed()) return;
    current = link.connection.subscribe(subject, {
      callback: (fault, message) => {
        // A refusal comes with an empty message, and is the end of the subscription.
        if (fault) return refused(fault);
        take({
          subject: message.subject,
          text: message.string(),
          respond: (text) => void message.respond(text),
        });
      },
    });
  };
  const refused = (fault: Error): void => {
    refusals += 1;
    if (Number.isInteger(Math.log10(refusals)))
      log.warn(
        { subject, advice: FAULT_ADVICE[natsFault(fault) ?? 'away'] },
        'a subscription was refused; asking again',
      );
    clearTimeout(timer);
    timer = setTimeout(open, againMs);
    timer.unref();
  };
  open();
  return {
    unsubscribe: () => {
      clearTimeout(timer);
      current?.unsubscribe();
    },
  };
}
