/** Makes the run's stream and each agent's consumers, and invites the agents with a token for the activation stream. */
import type { Assignment } from '../protocol/control.ts';
import { EntrainError } from '../protocol/errors.ts';
import { names, subjects } from '../protocol/subjects.ts';
import type { Clock } from '../process/clock.ts';
import { request } from '../transport/nats-services.ts';
import { createConsumer, createRunStream } from '../transport/nats-streams.ts';
import type { NatsLink } from '../transport/nats.ts';
import { mintToken } from '../transport/token.ts';
import type { Fleet } from './fleet.ts';

const TOKEN_LIFE_MS = 15 * 60_000;
const INVITE_TIMEOUT_MS = 10_000;

export interface InviteOptions {
  run: string;
  agents: ReadonlySet<string>;
  fleet: Fleet;
  link: NatsLink;
  clock: Clock;
  /** PEM, Ed25519. */
  privateKey: string;
}

export async function prepareRun(options: InviteOptions): Promise<{ stop(): void }> {
  const { run, agents, link } = options;
  await createRunStream(link.connection, { name: names.stream(run), subjects: subjects.stored(run) });
  const renewal = serveRenewals(options);
  for (const agent of agents) await invite(options, agent);
  return renewal;
}

async function invite(options: InviteOptions, agent: string): Promise<void> {
  const { run, fleet, link } = options;
  const stream = names.stream(run);
  const specConsumer = names.specConsumer(agent);
  const utteranceConsumer = names.utteranceConsumer(agent);
  await createConsumer(link.connection, { stream, name: specConsumer, filter: subjects.specsOf(run, agent) });
  await createConsumer(link.connection, {
    stream,
    name: utteranceConsumer,
    filter: subjects.utterances(run),
  });
  const analyzer = { url: fleet.streamUrl, token: tokenFor(options, agent) };
  const body: Assignment = { run, stream, specConsumer, utteranceConsumer, analyzer };
  await request(link.connection, subjects.assign(agent), { body, timeoutMs: INVITE_TIMEOUT_MS }).catch(
    (cause: unknown) => {
      throw new EntrainError(
        'AGENT_LOST',
        `Agent "${agent}" did not accept the invitation to run ${run}: expected an answer within ${INVITE_TIMEOUT_MS / 1000} s; see its log.`,
        { cause },
      );
    },
  );
}

/** An agent asks on its own subject, which no other agent may publish to. */
function serveRenewals(options: InviteOptions): { stop(): void } {
  const { run, agents, link } = options;
  const subscription = link.connection.subscribe(subjects.renewToken(run, '*'), {
    callback: (_, message) => {
      const agent = message.subject.split('.').at(-1) ?? '';
      if (agents.has(agent)) message.respond(tokenFor(options, agent));
    },
  });
  return { stop: () => subscription.unsubscribe() };
}

function tokenFor(options: InviteOptions, agent: string): string {
  const { run, clock, privateKey } = options;
  const expiresAtMs = clock.nowMs() + TOKEN_LIFE_MS;
  return mintToken(privateKey, { run, agent, stream: agent, mode: 'write', expiresAtMs });
}
