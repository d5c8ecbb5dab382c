/** Asks a service to let the agents of this machine, or its analyzer, in, and keeps what they connect with. */
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ERROR_CODES, EntrainError, type ErrorCode } from '../../protocol/errors.ts';
import {
  joinedMachineSchema,
  joinedSchema,
  type Joined,
  type JoinedMachine,
} from '../../protocol/join-messages.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { answerSchema } from '../../protocol/service-messages.ts';
import { subjects } from '../../protocol/subjects.ts';
import { systemClock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import { makeFolder } from '../../process/make-folder.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { makeServerRequest } from '../../transport/http/authority/certificate.ts';
import { credentialsOf, credentialsText } from '../../transport/nats/access/credentials.ts';
import { fetchAuthority } from '../../transport/nats/access/first-contact.ts';
import { readJoinToken } from '../../transport/nats/access/join-token.ts';
import { makeKey } from '../../transport/nats/access/jwt.ts';
import { asUser, connectNats } from '../../transport/nats/connection.ts';
import { request } from '../../transport/nats/services.ts';
import { analyzerFiles, credentialsFile, type JoinAnalyzer } from './join-settings.ts';

/** Longer than a coordinator that stands by takes to lead. */
const PATIENCE_MS = 15_000;
const ATTEMPT_MS = 5000;
const AGAIN_MS = 500;

const machineFile = (data: string): string => join(data, 'service.json');
export const authorityFile = (data: string): string => join(data, 'ca.crt');

export interface Joining {
  agents: readonly string[];
  /** In place of agents. */
  analyzer: Pick<JoinAnalyzer, 'id' | 'advertise'> | undefined;
  data: string;
  log: Logger;
}

/** Whose keys are made here, and never leave; the service signs their public halves. */
export async function askToJoin(text: string, joining: Joining): Promise<void> {
  const { data, log } = joining;
  const token = readJoinToken(text, systemClock.nowMs());
  const { ca, localAddress } = await fetchAuthority(token.url, token.authority);
  const user = asUser(credentialsOf(token.jwt, token.seed));
  const link = await connectNats({ url: token.url, ...user, tls: { ca }, name: 'entrain join', log });
  const ask = (body: object): Promise<Joined> =>
    answered(() => request(link.connection, subjects.join(token.id), { body, timeoutMs: ATTEMPT_MS }));
  try {
    const { url } = token;
    if (joining.analyzer) {
      const analyzer = await joinAnalyzer({ ...joining.analyzer, data, localAddress }, ask);
      await writeAtomic(machineFile(data), JSON.stringify({ url, analyzer }));
    } else {
      await joinAgents(joining, ask);
      await writeAtomic(machineFile(data), JSON.stringify({ url }));
    }
    await writeAtomic(authorityFile(data), ca, 0o644);
  } finally {
    await link.close();
  }
}

type Ask = (body: object) => Promise<Joined>;

async function joinAgents({ agents, data }: Pick<Joining, 'agents' | 'data'>, ask: Ask): Promise<void> {
  const keys = new Map(agents.map((agent) => [agent, makeKey('user')]));
  const admitted = await ask({
    agents: [...keys].map(([agent, key]) => ({ agent, key: key.public })),
    knowsAccounts: true,
  });
  for (const { agent, jwt } of admitted.agents) {
    const seed = keys.get(agent)?.seed;
    if (seed !== undefined) await writeAtomic(credentialsFile(data, agent), credentialsText(jwt, seed));
  }
}

/** @returns its name, and the host that its certificate is for */
async function joinAnalyzer(
  of: { id: string; advertise: string | undefined; data: string; localAddress: string },
  ask: Ask,
): Promise<{ id: string; host: string }> {
  const { id, advertise, data, localAddress } = of;
  const host = (advertise?.replace(/:\d+$/, '') ?? localAddress.replace(/^::ffff:/, '')).replaceAll(
    /[[\]]/g,
    '',
  );
  const [user, server] = [makeKey('user'), await makeServerRequest(id)];
  const { request: csr, key } = server;
  const { analyzer } = await ask({ analyzer: { id, key: user.public, host, request: csr } });
  if (!analyzer)
    throw new EntrainError(
      'MESSAGE_INVALID',
      'The service let no analyzer in: expected one of this version.',
    );
  const files = analyzerFiles(data);
  await makeFolder(files.folder, 0o700);
  await writeAtomic(files.key, key);
  await writeAtomic(files.cert, analyzer.cert, 0o644);
  await writeAtomic(files.streamKey, analyzer.streamKey, 0o644);
  await writeAtomic(files.credentials, credentialsText(analyzer.jwt, user.seed));
  return { id, host };
}

/** Asks again, with the same keys, until a coordinator leads. */
async function answered(ask: () => Promise<string>): Promise<Joined> {
  const about = { code: 'MESSAGE_INVALID', what: 'The answer of the service' } as const;
  const untilMs = systemClock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    const text = await ask().catch(async (cause: unknown) => {
      if (systemClock.monotonicMs() > untilMs)
        throw new EntrainError(
          'SERVICE_MISSING',
          `No coordinator let this machine in within ${PATIENCE_MS / 1000} s: see on the machine of the service whether "entrain fleet" answers.`,
          { cause },
        );
      await new Promise((done) => setTimeout(done, AGAIN_MS));
      return undefined;
    });
    if (text === undefined) continue;
    const answer = parseMessage(answerSchema, text, about);
    if ('value' in answer) return parseMessage(joinedSchema, answer.value, about);
    const { code, message } = answer.error;
    throw new EntrainError(code in ERROR_CODES ? (code as ErrorCode) : 'MESSAGE_INVALID', message);
  }
}

/**
 * The service that this machine joined: its address, and what its analyzer is called and how it is reached.
 * @throws EntrainError `USAGE` if it has not, or if an agent or the analyzer has no credentials
 */
export async function joinedService(
  data: string,
  { agents, analyzer }: Pick<Joining, 'agents' | 'analyzer'>,
): Promise<JoinedMachine> {
  const file = machineFile(data);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined)
    throw new EntrainError(
      'USAGE',
      `This machine has joined no service (no ${file}): give the token that "entrain token" prints.`,
    );
  for (const agent of agents)
    await access(credentialsFile(data, agent)).catch((cause: unknown) => {
      throw new EntrainError(
        'USAGE',
        `Agent "${agent}" has not joined from here: give a token that "entrain token" prints, or the name by which it joined (--model NAME=DIR).`,
        { cause },
      );
    });
  const machine = parseMessage(joinedMachineSchema, text, { code: 'CONFIG_INVALID', what: file });
  if (analyzer && !machine.analyzer)
    throw new EntrainError(
      'USAGE',
      'No analyzer has joined from here: give a token that "entrain token --analyzer" prints.',
    );
  return machine;
}
