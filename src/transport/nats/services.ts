/**
 * Programs announce themselves as NATS micro services: `nats micro ls` lists them, and the coordinator finds
 * them this way.
 */
import { hostname } from 'node:os';
import { ErrorCode, NatsError, ServiceError, type NatsConnection, type ServiceInfo } from 'nats';
import { EntrainError } from '../../protocol/errors.ts';
import { ANNOUNCED_VERSION, PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from './connection.ts';
import { answerSubject, foundSubject, isInbox, isWithin } from './inbox.ts';

const NOBODY: ReadonlySet<string> = new Set([ErrorCode.NoResponders]);
const LATE: ReadonlySet<string> = new Set([ErrorCode.Timeout]);
/** Most answers that are taken of those who are looked for. */
const MOST_SERVICES = 4096;

export interface ServiceEndpoint {
  name: string;
  subject: string;
  /** Takes and returns JSON text; what it throws is answered as an error. */
  handle(request: string): Promise<string> | string;
}

export interface ServiceOptions {
  name: string;
  version: string;
  description: string;
  metadata: Record<string, string>;
  endpoints: ServiceEndpoint[];
}

export interface ServiceRecord {
  id: string;
  version: string;
  metadata: Record<string, string>;
}

export async function registerService(
  link: NatsLink,
  options: ServiceOptions,
): Promise<{ stop(): Promise<void> }> {
  const { endpoints, metadata, ...config } = options;
  const announced = { ...metadata, protocol: ANNOUNCED_VERSION, machine: hostname() };
  const service = await link.connection.services.add({ ...config, metadata: announced });
  for (const { name, subject, handle } of endpoints) {
    service.addEndpoint(name, {
      subject,
      handler: (fault, message) => {
        // Only a request is answered: nats-server passes on what an agent had it deliver here as well.
        if (fault || !isInbox(message.reply) || !isWithin(subject, message.subject)) return;
        void Promise.resolve()
          .then(() => handle(message.string()))
          .then((answer) => message.respond(answer))
          .catch((error: unknown) => message.respondError(400, describe(error)));
      },
    });
  }
  return { stop: async () => void (await service.stop()) };
}

function describe(error: unknown): string {
  if (error instanceof EntrainError) return `${error.message} (${error.code})`;
  return error instanceof Error ? error.message : String(error);
}

/** Answers whatever a program of protocol version 1 asks on the subject, and says the same in the log. */
export function refuseVersion1(subject: string, log: Logger): ServiceEndpoint {
  return {
    name: 'version-1',
    subject,
    handle: () => {
      const error = new EntrainError(
        'VERSION_MISMATCH',
        `A coordinator of protocol version 1 asked this program, which speaks version ${PROTOCOL_VERSION.major}: use the same release of entrain for all programs of a run.`,
      );
      log.error({ code: error.code, reason: error.message }, 'request refused');
      throw error;
    },
  };
}

/** Finds all services of a name that answer within `waitMs` milliseconds; always takes that long. */
export async function findServices(link: NatsLink, name: string, waitMs = 300): Promise<ServiceRecord[]> {
  const { connection, inbox } = link;
  const found: ServiceRecord[] = [];
  const reply = foundSubject(inbox);
  const answers = connection.subscribe(reply, {
    max: MOST_SERVICES,
    callback: (fault, message) => {
      const record = fault ? undefined : readRecord(name, message.string());
      if (record) found.push(record);
    },
  });
  connection.publish(`$SRV.INFO.${name}`, '', { reply });
  await new Promise((done) => setTimeout(done, waitMs));
  answers.unsubscribe();
  return found;
}

/** Undefined for what is no announcement of this name. */
function readRecord(wanted: string, text: string): ServiceRecord | undefined {
  try {
    const { name, id, version, metadata } = JSON.parse(text) as Partial<ServiceInfo>;
    const isNamed = name === wanted && typeof id === 'string' && typeof version === 'string';
    return isNamed ? { id, version, metadata: metadata ?? {} } : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a request failed because nobody is there to answer it, though the server is. */
export const isUnanswered = (error: unknown): boolean => error instanceof NatsError && NOBODY.has(error.code);

/**
 * The same of a program in the other account: of a request that goes there, nats-server does not say that nobody is
 * there; it is not answered in time, though the server itself answers.
 */
export async function isNobodyThere({ connection }: NatsLink, error: unknown): Promise<boolean> {
  if (isUnanswered(error)) return true;
  if (!(error instanceof NatsError) || !LATE.has(error.code)) return false;
  return connection.rtt().then(
    () => true,
    () => false,
  );
}

/**
 * Sends a request and gives the answer, both as JSON text.
 * @throws EntrainError `MESSAGE_INVALID` if the answer is an error
 */
export async function request(
  connection: NatsConnection,
  subject: string,
  options: { body: unknown; timeoutMs: number },
): Promise<string> {
  const reply = answerSubject(subject);
  const answer = await connection.request(subject, JSON.stringify(options.body), {
    timeout: options.timeoutMs,
    ...(reply === undefined ? {} : { noMux: true, reply }),
  });
  const fault = ServiceError.toServiceError(answer);
  if (fault)
    throw new EntrainError('MESSAGE_INVALID', `The request on ${subject} was refused: ${fault.message}`, {
      cause: fault,
    });
  return answer.string();
}
