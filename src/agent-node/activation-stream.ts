/** The activation stream of one agent in one run: its spool on disk, its sender, and the token that lets it in. */
import { join } from 'node:path';
import { analyzerSchema, parseMessage, type Assignment } from '../protocol/nats-messages.ts';
import { subjects } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import { openSpool } from '../journal/spool.ts';
import { isUnanswered, request } from '../transport/nats/services.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { createStreamSender, type StreamSender } from '../transport/stream/sender/sender.ts';
import type { ClientTls } from '../transport/http/tls.ts';

export interface ActivationStream {
  sender: StreamSender;
  /** Uses another address or token from the next connection on. */
  redirect(analyzer: Assignment['analyzer']): void;
  close(): Promise<void>;
}

export interface ActivationStreamOptions {
  agent: string;
  assignment: Assignment;
  dataFolder: string;
  spoolMaxBytes: number;
  /** TLS settings, if the analyzer's URL is `wss:`. */
  tls: ClientTls;
  link: NatsLink;
  clock: Clock;
  log: Logger;
  /** Told when the coordinator has answered, or nobody was there to answer. */
  onCoordinator?(isThere: boolean): void;
  /** How long to wait for the analyzer's welcome after the epoch was chosen. */
  welcomeMs?: number;
  /** How often the token is renewed. */
  renewalMs: number;
}

/** Together with the two seconds for asking the epoch, well below the time that an invitation may take. */
const WELCOME_MS = 4000;
const RENEWAL_TIMEOUT_MS = 5000;
const DRAIN_MS = 3000;

/**
 * Settles when the analyzer takes frames. One that does not answer delays the agent only briefly, since the spool
 * keeps the frames.
 */
export async function openActivationStream(options: ActivationStreamOptions): Promise<ActivationStream> {
  const { agent, assignment, tls, clock, log } = options;
  const { run } = assignment;
  let { analyzer } = assignment;
  const spool = await openSpool({
    folder: join(options.dataFolder, run, agent),
    maxBytes: options.spoolMaxBytes,
    log,
  });
  const [url, token] = [() => analyzer.url, () => analyzer.token];
  const fingerprint = (): string | undefined => analyzer.fingerprint;
  const redirect = (to: Assignment['analyzer']): void => void (analyzer = to);
  const onFailing = once(() => renew(options, redirect));
  const place = { url, token, fingerprint, onFailing, run, stream: agent };
  const sender = await createStreamSender({ ...place, spool, tls, log, clock });
  if (!(await sender.welcomed(options.welcomeMs ?? WELCOME_MS)))
    log.warn(
      { run, url: url() },
      'the talk begins before an analyzer takes its states; they wait in the spool',
    );
  const renewal = setInterval(() => void renew(options, redirect), options.renewalMs);
  return {
    sender,
    redirect,
    close: async () => {
      clearInterval(renewal);
      const drained = await sender.drained(DRAIN_MS);
      if (!drained) log.warn({ run }, 'stopped with frames not yet acknowledged; they stay in the spool');
      await sender.close();
      await spool.close();
    },
  };
}

/** Runs `act` once at a time: a call while it runs waits for its result. */
function once(act: () => Promise<void>): () => void {
  let running = false;
  return () => {
    if (running) return;
    running = true;
    void act().finally(() => (running = false));
  };
}

async function renew(
  options: ActivationStreamOptions,
  redirect: ActivationStream['redirect'],
): Promise<void> {
  const { agent, assignment, link, log } = options;
  const subject = subjects.renewToken(assignment.run, agent);
  try {
    const answer = await request(link.connection, subject, { body: {}, timeoutMs: RENEWAL_TIMEOUT_MS });
    redirect(parseMessage(analyzerSchema, answer, { code: 'MESSAGE_INVALID', what: 'A renewed token' }));
    options.onCoordinator?.(true);
  } catch (error) {
    log.warn({ err: error }, 'stream token was not renewed');
    if (isUnanswered(error)) options.onCoordinator?.(false);
  }
}
