/**
 * Asks the resident coordinator over NATS. Where `NATS_URL` is not set, the server of an `entrain serve` on this
 * machine is asked, whose address and credentials stand in the folder of runs.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ERROR_CODES, EntrainError, type ErrorCode } from '../../protocol/errors.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { answerSchema, type Caller, type ServiceVerb } from '../../protocol/service-messages.ts';
import { subjects } from '../../protocol/subjects.ts';
import { systemClock as clock } from '../../process/clock.ts';
import { environment } from '../../process/environment.ts';
import { createLog } from '../../process/log.ts';
import { AUTHORITY_FILE } from '../../transport/http/authority/authority-files.ts';
import { readAuthority } from '../../transport/http/tls.ts';
import { readCredentials } from '../../transport/nats/access/credentials.ts';
import {
  asUser,
  connectNats,
  natsFromEnvironment,
  type NatsLink,
  type NatsOptions,
} from '../../transport/nats/connection.ts';
import { natsFault } from '../../transport/nats/faults.ts';
import { request } from '../../transport/nats/services.ts';

export const SERVICE_FLAGS = {
  runs: {
    type: 'string',
    default: 'runs',
    value: 'DIR',
    about: 'where "entrain serve" on this machine keeps its runs',
  },
  json: { type: 'boolean', default: false, about: 'the answer as one JSON object' },
} as const;

/** Longer than a coordinator that stands by takes to lead. */
const PATIENCE_MS = 15_000;
const ATTEMPT_MS = 5000;
const AGAIN_MS = 500;

/** Files of `entrain serve` below the folder of runs. */
export const SERVICE_FOLDER = '.service';
export const ADDRESS_FILE = 'nats.url';

export interface Service {
  /** @throws EntrainError `SERVICE_MISSING`, or what the coordinator answers */
  ask(verb: ServiceVerb, body: object): Promise<unknown>;
}

/** Connects, lets `use` ask, and closes the connection. */
export async function withService<T>(runs: string, use: (service: Service) => Promise<T>): Promise<T> {
  const nats = await findServer(runs);
  const log = createLog('service');
  const link = await connectNats({ ...nats, name: 'entrain service user', log });
  try {
    return await use(openService(link, nats.user));
  } finally {
    await link.close();
  }
}

/** @param user the user by which the link was made */
export function openService(link: NatsLink, user: string | undefined): Service {
  const caller = callerOf(user);
  return { ask: (verb, body) => ask(link, { caller, verb, body }) };
}

/** The address from the environment, or that of a service on this machine. */
export async function findServer(runs: string): Promise<NatsOptions> {
  const folder = join(runs, SERVICE_FOLDER);
  const url = await readFile(join(folder, ADDRESS_FILE), 'utf8').catch(() => undefined);
  if (environment('NATS_URL') !== undefined || url === undefined) return natsFromEnvironment();
  const secrets = join(folder, 'secrets');
  const ca = await readAuthority('the authority of the service', join(secrets, 'authority', AUTHORITY_FILE));
  const file = join(secrets, 'operator.creds');
  const operator = asUser(await readCredentials('the credentials of the service', file));
  return { url: url.trim(), ...operator, ...(ca === undefined ? {} : { tls: { ca } }) };
}

/** A user of another name, or none, is an operator: its server decides what it may publish. */
function callerOf(user = 'local'): Caller {
  const [, role, name] = /^(submitter|operator)-(.+)$/.exec(user) ?? [];
  return role === 'submitter' && name !== undefined
    ? { role: 'submitter', name }
    : { role: 'operator', name: name ?? user.replaceAll(/[^A-Za-z0-9_-]/g, '_') };
}

async function ask(
  { connection }: NatsLink,
  { caller, verb, body }: { caller: Caller; verb: ServiceVerb; body: object },
): Promise<unknown> {
  const deadlineMs = clock.monotonicMs() + PATIENCE_MS;
  for (;;) {
    try {
      const text = await request(connection, subjects.service(caller, verb), { body, timeoutMs: ATTEMPT_MS });
      return valueOf(text);
    } catch (cause) {
      if (cause instanceof EntrainError && cause.code !== 'LEASE_LOST') throw cause;
      const fault = natsFault(cause);
      if (fault === 'forbidden') throw notAllowed(caller, cause);
      if (fault === undefined && !(cause instanceof EntrainError)) throw cause;
      if (clock.monotonicMs() > deadlineMs) throw missing(cause);
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }
}

function valueOf(text: string): unknown {
  const answer = parseMessage(answerSchema, text, {
    code: 'MESSAGE_INVALID',
    what: 'The answer of the service',
  });
  if ('value' in answer) return answer.value;
  const { code, message } = answer.error;
  throw new EntrainError(code in ERROR_CODES ? (code as ErrorCode) : 'MESSAGE_INVALID', message);
}

const missing = (cause: unknown): EntrainError =>
  new EntrainError(
    'SERVICE_MISSING',
    `No resident coordinator answered within ${PATIENCE_MS / 1000} s: start one with "entrain serve", or with "entrain coordinator" on the NATS server of NATS_URL.`,
    { cause },
  );

const notAllowed = ({ role, name }: Caller, cause: unknown): EntrainError =>
  new EntrainError(
    'NOT_ALLOWED',
    `The NATS server does not let this user ask as ${role} ${name}: give NATS_USER and its password as you were told them.`,
    { cause },
  );
