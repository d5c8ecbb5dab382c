/** The activation stream of one agent in one run: its spool on disk, its sender, and the token that lets it in. */
import { rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { analyzerSchema, parseMessage, type Assignment } from '../protocol/nats-messages.ts';
import { subjects } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import { openSpool, type Spool } from '../journal/spool.ts';
import { isNobodyThere, request } from '../transport/nats/services.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { createStreamSender, type StreamSender } from '../transport/stream/sender/sender.ts';
import type { ClientTls } from '../transport/http/tls.ts';

export interface ActivationStream {
  sender: StreamSender;
  /** Uses another token from the next connection on, and another address at once. */
  redirect(analyzer: Assignment['analyzer']): void;
  close(): Promise<void>;
  /** Removes the spool of a closed stream, unless frames in it were not acknowledged. */
  forget(): Promise<void>;
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
  const folder = join(options.dataFolder, run, agent);
  const spool = await openSpool({
    folder,
    maxBytes: options.spoolMaxBytes,
    log,
  });
  const [url, token] = [() => analyzer.url, () => analyzer.token];
  const fingerprint = (): string | undefined => analyzer.fingerprint;
  let sender: StreamSender | undefined;
  const redirect = (to: Assignment['analyzer']): void => {
    const hasMoved = to.url !== analyzer.url || to.fingerprint !== analyzer.fingerprint;
    analyzer = to;
    if (hasMoved) sender?.reconnect();
  };
  const onFailing = once(() => renew(options, redirect));
  const place = { url, token, fingerprint, onFailing, run, stream: agent };
  const opened = (sender = await createStreamSender({ ...place, spool, tls, log, clock }));
  if (!(await opened.welcomed(options.welcomeMs ?? WELCOME_MS)))
    log.warn(
      { run, url: url() },
      'the talk begins before an analyzer takes its states; they wait in the spool',
    );
  const renewal = setInterval(() => void renew(options, redirect), options.renewalMs);
  const ending = endingOf({ opened, spool, folder, run, log });
  return {
    sender: opened,
    redirect,
    close: async () => {
      clearInterval(renewal);
      await ending.close();
    },
    forget: () => ending.forget(),
  };
}

function endingOf(of: {
  opened: StreamSender;
  spool: Spool;
  folder: string;
  run: string;
  log: Logger;
}): Pick<ActivationStream, 'close' | 'forget'> {
  const { opened, spool, folder, run, log } = of;
  let isDrained = false;
  return {
    close: async () => {
      isDrained = await opened.drained(DRAIN_MS);
      if (!isDrained) log.warn({ run }, 'stopped with frames not yet acknowledged; they stay in the spool');
      await opened.close();
      await spool.close();
    },
    forget: async () => {
      if (!isDrained) return;
      await rm(folder, { recursive: true, force: true });
      // The folder of the run goes with the last agent that has one there.
      await rmdir(dirname(folder)).catch(() => undefined);
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
    if (await isNobodyThere(link, error)) options.onCoordinator?.(false);
  }
}
