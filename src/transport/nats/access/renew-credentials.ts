/**
 * Keeps the access of a program to NATS: asks for the next token when half of its time is over, and says when there is
 * no access any more.
 */
import { answerSchema } from '../../../protocol/service-messages.ts';
import { renewedSchema } from '../../../protocol/join-messages.ts';
import { EntrainError } from '../../../protocol/errors.ts';
import { parseMessage } from '../../../protocol/nats-messages.ts';
import { systemClock } from '../../../process/clock.ts';
import type { Logger } from '../../../process/log.ts';
import type { NatsLink, NatsOptions } from '../connection.ts';
import { request } from '../services.ts';
import type { Credentials } from './credentials.ts';

/** How often it looks; a share of the token's life, so that a short one is renewed in time. */
const LOOKS = 20;
const MOST_MS = 60_000;
const ANSWER_MS = 5000;

export interface AccessOptions {
  /** The program, as the error names it: `agent "ada"`. */
  who: string;
  /** On which it asks for its next token. */
  subject: string;
  log: Logger;
  /** Told if NATS does not let it in any more. */
  fail(error: Error): void;
}

/** Renews what the link was opened with, where that has an end. A link that the server closed for good is no access. */
export function keepAccess(
  link: NatsLink,
  { credentials }: Pick<NatsOptions, 'credentials'>,
  { who, subject, log, fail }: AccessOptions,
): { stop(): void } {
  // Without a cause it is this program that closes.
  void link.connection.closed().then((cause) => (cause ? fail(accessLost(who, cause)) : undefined));
  return credentials ? renewCredentials(link, { credentials, subject, log }) : { stop: () => undefined };
}

const accessLost = (who: string, cause: Error): EntrainError =>
  new EntrainError(
    'NATS_UNREACHABLE',
    `NATS does not let ${who} in any more: expected credentials that hold; one that was removed joins anew with a token.`,
    { cause },
  );

export function renewCredentials(
  link: NatsLink,
  { credentials, subject, log }: { credentials: Credentials; subject: string; log: Logger },
): { stop(): void } {
  const { issuedAtS, expiresAtS } = credentials.claims();
  if (expiresAtS === undefined) return { stop: () => undefined };
  let isAsking = false;
  const look = async (): Promise<void> => {
    const { issuedAtS: from, expiresAtS: until = Infinity } = credentials.claims();
    if (isAsking || systemClock.nowMs() / 1000 < (from + until) / 2) return;
    isAsking = true;
    try {
      await credentials.replace(await askNext(link, subject));
      log.info({ until: credentials.claims().expiresAtS }, 'credentials renewed');
    } catch (error) {
      log.warn({ err: error, until }, 'credentials were not renewed; asking again');
    } finally {
      isAsking = false;
    }
  };
  const everyMs = Math.min(MOST_MS, ((expiresAtS - issuedAtS) * 1000) / LOOKS);
  const timer = setInterval(() => void look(), everyMs);
  void look();
  return { stop: () => clearInterval(timer) };
}

async function askNext({ connection }: NatsLink, subject: string): Promise<string> {
  const about = { code: 'MESSAGE_INVALID', what: 'The answer to a renewal' } as const;
  const text = await request(connection, subject, { body: { knowsAccounts: true }, timeoutMs: ANSWER_MS });
  const answer = parseMessage(answerSchema, text, about);
  if ('error' in answer) throw new EntrainError('NOT_ALLOWED', answer.error.message);
  return parseMessage(renewedSchema, answer.value, about).jwt;
}
