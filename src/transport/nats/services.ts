/**
 * Programs announce themselves as NATS micro services: `nats micro ls` lists them, and the coordinator finds
 * them this way.
 */
import { hostname } from 'node:os';
import { ErrorCode, NatsError, RequestStrategy, ServiceError, type NatsConnection } from 'nats';
import { EntrainError } from '../../protocol/errors.ts';
import { ANNOUNCED_VERSION, PROTOCOL_VERSION } from '../../protocol/version.ts';
import type { Logger } from '../../process/log.ts';
import type { NatsLink } from './connection.ts';

const NOBODY: ReadonlySet<string> = new Set([ErrorCode.NoResponders]);

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
        if (fault) return;
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
  const client = link.connection.services.client({ strategy: RequestStrategy.Timer, maxWait: waitMs });
  const found: ServiceRecord[] = [];
  try {
    for await (const info of await client.info(name))
      found.push({ id: info.id, version: info.version, metadata: info.metadata ?? {} });
  } catch (error) {
    if (!(error instanceof NatsError && NOBODY.has(error.code))) throw error;
    // Without a responder the answer comes at once. Waiting here lets callers simply ask again.
    await new Promise((done) => setTimeout(done, waitMs));
  }
  return found;
}

/** Whether a request failed because nobody is there to answer it, though the server is. */
export const isUnanswered = (error: unknown): boolean => error instanceof NatsError && NOBODY.has(error.code);

/**
 * Sends a request and gives the answer, both as JSON text.
 * @throws EntrainError `MESSAGE_INVALID` if the answer is an error
 */
export async function request(
  connection: NatsConnection,
  subject: string,
  options: { body: unknown; timeoutMs: number },
): Promise<string> {
  const answer = await connection.request(subject, JSON.stringify(options.body), {
    timeout: options.timeoutMs,
  });
  const fault = ServiceError.toServiceError(answer);
  if (fault)
    throw new EntrainError('MESSAGE_INVALID', `The request on ${subject} was refused: ${fault.message}`, {
      cause: fault,
    });
  return answer.string();
}
