/**
 * A core NATS subscription that survives a withdrawn permission: it subscribes again until the server allows
 * it.
 */
import type { Subscription } from 'nats';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from './connection.ts';
import { FAULT_ADVICE, natsFault } from './faults.ts';
import { isInbox, isWithin } from './inbox.ts';

export interface SubscribeOptions {
  subject: string;
  take(message: PlainMessage): void;
  log: Logger;
  /** Whether the messages are requests; others are dropped then. */
  asked?: boolean;
  /** Milliseconds before it subscribes again. */
  againMs?: number;
}

export interface PlainMessage {
  subject: string;
  text: string;
  /** Answers a request. */
  respond(text: string): void;
}

const AGAIN_MS = 2000;

/** Subscribes until `unsubscribe` is called. */
export function subscribe(link: NatsLink, options: SubscribeOptions): { unsubscribe(): void } {
  const { subject, take, log, asked = false, againMs = AGAIN_MS } = options;
  const { connection } = link;
  let current: Subscription | undefined;
  let timer: NodeJS.Timeout | undefined;
  let refusals = 0;
  const open = (): void => {
    if (connection.isClosed()) return;
    current = connection.subscribe(subject, {
      callback: (fault, message) => {
        // A refusal comes as a fault with an empty message, and ends the subscription.
        if (fault) return refused(fault);
        // nats-server also passes on here what a user had it deliver as an answer.
        if (!isWithin(subject, message.subject) || (asked && !isInbox(message.reply))) return;
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
