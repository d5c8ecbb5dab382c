/**
 * Creates the run's stream and each agent's consumers, and invites the agents with a token for the activation stream.
 */
import { membershipsSchema, type Memberships } from '../protocol/memberships.ts';
import { parseMessage, type Assignment } from '../protocol/nats-messages.ts';
import { EntrainError } from '../protocol/errors.ts';
import { names, subjects } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import type { Logger } from '../process/log.ts';
import { natsFault } from '../transport/nats/faults.ts';
import { isUnanswered, request } from '../transport/nats/services.ts';
import { createConsumer, createRunStream, dropConsumer } from '../transport/nats/streams.ts';
import { subscribe } from '../transport/nats/subscription.ts';
import type { NatsLink } from '../transport/nats/connection.ts';
import { mintToken, TOKEN_LIFE_MS } from '../transport/stream/auth/access-token.ts';
import { ABSENT, type Fleet } from './fleet.ts';

const INVITE_TIMEOUT_MS = 10_000;
const DRAIN_POLL_MS = 250;
/** What the analyzer refuses for this time, over several connections, it will not take. */
const REFUSED_MS = 10_000;
const ASK_TIMEOUT_MS = 3000;
const ASK_ATTEMPTS = 4;
const NOBODY_MS = 500;

export interface InviteOptions {
  run: string;
  /** Grows when an agent takes over a role. */
  agents: Set<string>;
  fleet: Fleet;
  link: NatsLink;
  clock: Clock;
  /** Ed25519 private key, PEM. */
  privateKey: string;
  /** Agents that were invited and have not answered. They may have joined nevertheless. */
  unanswered: Set<string>;
  log: Logger;
}

/**
 * Opens the run's stream, and creates it if there is none.
 * @returns number of messages in it
 * @throws EntrainError `RUN_FORBIDDEN`, `NATS_FULL`, `NATS_NO_JETSTREAM`
 */
export async function openRunStream(link: NatsLink, run: string): Promise<number> {
  const { replicas = 1 } = link;
  const stream = { name: names.stream(run), subjects: subjects.stored(run), replicas };
  return createRunStream(link.connection, stream).catch((cause: unknown) => {
    throw cause instanceof EntrainError && cause.code === 'RUN_FORBIDDEN' ? strangeRun(run, cause) : cause;
  });
}

/** @returns the agents that were invited now: all of them in a new run, the restarted ones in a run that continues */
export async function inviteAll(options: InviteOptions): Promise<{ invited: Set<string>; stop(): void }> {
  const { agents } = options;
  const renewal = serveRenewals(options);
  const present = [...agents].filter((agent) => options.fleet.agents.get(agent)?.instance !== ABSENT);
  // All at once, since each waits for its stream to the analyzer.
  const joined = await Promise.all(
    present.map(async (agent) => ((await inviteAgent(options, agent)) ? [agent] : [])),
  );
  return { invited: new Set(joined.flat()), stop: () => renewal.stop() };
}

function strangeRun(run: string, cause: unknown): EntrainError {
  return new EntrainError(
    'RUN_FORBIDDEN',
    `The NATS server does not let this coordinator into run ${run}: let its users in ("npm run secrets -- --run ${run}" for deploy/) and have the server read its users again.`,
    { cause },
  );
}

/**
 * Invites an agent that is not a member: at its first time or after a restart. A member is told where the analyzer
 * is, which may have moved while there was no coordinator. May be called again after an error.
 * @returns whether it was invited; false if it was a member already
 */
export async function inviteAgent(options: InviteOptions, agent: string): Promise<boolean> {
  const { run, unanswered } = options;
  try {
    if (!(await isMember(options, agent))) {
      await createConsumers(options, agent);
      unanswered.add(agent);
    }
    await assign(options, agent);
    return unanswered.delete(agent);
  } catch (cause) {
    throw new EntrainError(
      'AGENT_LOST',
      `Agent "${agent}" did not accept the invitation to run ${run}: expected an answer within ${INVITE_TIMEOUT_MS / 1000} s; see its log.`,
      { cause },
    );
  }
}

async function createConsumers({ run, link }: InviteOptions, agent: string): Promise<void> {
  const stream = names.stream(run);
  const specs = { stream, name: names.specConsumer(agent), filter: subjects.specsOf(run, agent) };
  const talk = { stream, name: names.talkConsumer(agent), filter: subjects.talk(run), inOrder: true };
  // A consumer of an earlier life is at the position where that life stopped reading, and this one must begin
  // earlier.
  for (const consumer of [specs, talk]) await dropConsumer(link.connection, consumer);
  await createConsumer(link.connection, { ...specs, from: 'now' });
  await createConsumer(link.connection, talk);
}

/** Sends an agent its assignment; a member learns the analyzer's present address from it. */
export async function assign(options: InviteOptions, agent: string): Promise<void> {
  const { run, link } = options;
  const body: Assignment = {
    run,
    stream: names.stream(run),
    specConsumer: names.specConsumer(agent),
    talkConsumer: names.talkConsumer(agent),
    analyzer: analyzerFor(options, agent),
  };
  await askAgain(() =>
    request(link.connection, subjects.assign(agent), { body, timeoutMs: INVITE_TIMEOUT_MS }),
  );
}

async function isMember(options: InviteOptions, agent: string): Promise<boolean> {
  return (await askMemberships(options, agent)).runs.includes(options.run);
}

async function askMemberships({ link }: InviteOptions, agent: string): Promise<Memberships> {
  const what = `The list of runs of agent "${agent}"`;
  const options = { body: {}, timeoutMs: ASK_TIMEOUT_MS };
  const answer = await askAgain(() => request(link.connection, subjects.memberships(agent), options));
  return parseMessage(membershipsSchema, answer, { code: 'MESSAGE_INVALID', what });
}

/**
 * Asks more than once. A server that has not yet noticed that the link to an agent was cut passes a request to the
 * agent's dead connection, though it has made another; and after a restart of the server an agent may be the last to
 * connect again.
 */
async function askAgain(ask: () => Promise<string>): Promise<string> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === ASK_ATTEMPTS || natsFault(error) === undefined) throw error;
      // Without a responder the answer comes at once.
      if (isUnanswered(error)) await new Promise((done) => setTimeout(done, NOBODY_MS));
    }
  }
}

interface Spool {
  drained: boolean;
  /** Why the analyzer does not take what is in it; undefined while it does. */
  refusal: string | undefined;
}

/** An agent that does not answer may still hold frames. */
async function spoolOf(options: InviteOptions, agent: string): Promise<Spool> {
  try {
    const { undrained, refusals } = await askMemberships(options, agent);
    return { drained: !undrained.includes(options.run), refusal: refusals?.[options.run] };
  } catch (error) {
    if (natsFault(error) === undefined) throw error;
    return { drained: false, refusal: undefined };
  }
}

/**
 * Settles when the spools of this run are empty at all agents, so that all their frames are recorded. An agent that
 * is gone cannot be asked; `entrain verify` says whether frames of it are missing.
 * @throws EntrainError `RECORDING_INCOMPLETE`
 */
export async function awaitDrained(
  options: InviteOptions,
  { timeoutMs, isAway }: { timeoutMs: number; isAway(agent: string): boolean },
): Promise<void> {
  const { clock } = options;
  const deadlineMs = clock.monotonicMs() + timeoutMs;
  for (const agent of options.agents) {
    let refusedMs: number | undefined;
    while (!isAway(agent)) {
      const { drained, refusal } = await spoolOf(options, agent);
      if (drained) break;
      const nowMs = clock.monotonicMs();
      refusedMs = refusal === undefined ? undefined : (refusedMs ?? nowMs);
      if (refusedMs !== undefined && nowMs - refusedMs > REFUSED_MS)
        throw incomplete(options, agent, { refusal, afterMs: nowMs - refusedMs });
      if (nowMs > deadlineMs) throw incomplete(options, agent, { refusal, afterMs: timeoutMs });
      await new Promise((done) => setTimeout(done, DRAIN_POLL_MS));
    }
  }
}

function incomplete(
  { run }: InviteOptions,
  agent: string,
  { refusal, afterMs }: { refusal: string | undefined; afterMs: number },
): EntrainError {
  const late = `Run ${run} has ended, but frames of agent "${agent}" were not acknowledged within ${Math.round(afterMs / 1000)} s`;
  const advice =
    refusal === undefined
      ? 'start the analyzer again and leave the agent running, so that its spool can drain'
      : `the analyzer refuses them ("${refusal}"); mend that and start the run again under its name, the frames wait in the spool`;
  return new EntrainError('RECORDING_INCOMPLETE', `${late}: ${advice}.`);
}

/**
 * Releases the agents, after everything of the run is recorded or because this coordinator ends. An agent that does
 * not answer stays a member until it ends, which does no harm.
 */
export async function releaseAgents(
  options: InviteOptions,
  of: { isAway(agent: string): boolean; over: boolean; timeoutMs?: number },
): Promise<void> {
  const present = [...options.agents].filter((agent) => !of.isAway(agent));
  await Promise.all(present.map((agent) => releaseAgent(options, agent, of)));
}

async function releaseAgent(
  { run, link }: InviteOptions,
  agent: string,
  { over, timeoutMs = INVITE_TIMEOUT_MS }: { over: boolean; timeoutMs?: number },
): Promise<void> {
  const stream = names.stream(run);
  const released = request(link.connection, subjects.release(agent), { body: { run, over }, timeoutMs });
  await released.catch(() => undefined);
  for (const name of [names.specConsumer(agent), names.talkConsumer(agent)])
    await dropConsumer(link.connection, { stream, name });
}

/** Serves token renewals. An agent asks on its own subject, where no other agent may publish. */
function serveRenewals(options: InviteOptions): { stop(): void } {
  const { run, agents, link, log } = options;
  const subscription = subscribe(link, {
    subject: subjects.renewToken(run, '*'),
    asked: true,
    take: ({ subject, respond }) => {
      const agent = subject.split('.').at(-1) ?? '';
      if (agents.has(agent)) respond(JSON.stringify(analyzerFor(options, agent)));
    },
    log,
  });
  return { stop: () => subscription.unsubscribe() };
}

function analyzerFor(options: InviteOptions, agent: string): Assignment['analyzer'] {
  const { run, fleet, clock, privateKey } = options;
  const expiresAtMs = clock.nowMs() + TOKEN_LIFE_MS;
  const token = mintToken(privateKey, {
    run,
    agent,
    stream: agent,
    mode: 'write',
    expiresAtMs,
    granted: true,
  });
  const { streamUrl: url, fingerprint } = fleet.analyzer;
  return { url, token, fingerprint };
}
