/**
 * Keeps the certificate of an analyzer that joined: asks for the next one, for the same key and host, when half of its
 * life is over, as is done with what it connects with.
 */
import { X509Certificate } from 'node:crypto';
import { EntrainError } from '../../protocol/errors.ts';
import { renewedSchema } from '../../protocol/join-messages.ts';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { answerSchema } from '../../protocol/service-messages.ts';
import { subjects } from '../../protocol/subjects.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import type { HttpServer } from '../../transport/http/server.ts';
import { fingerprintOf, requireIdentity, type Identity } from '../../transport/http/tls.ts';
import type { NatsLink, NatsOptions } from '../../transport/nats/connection.ts';
import { request } from '../../transport/nats/services.ts';
import type { AnnouncedAnalyzer } from './nats-service.ts';

const LOOK_MS = 60_000;
const ANSWER_MS = 5000;

export interface CertificateOptions {
  id: string;
  serving: { tls: Identity | undefined };
  /** Where the certificate stands. */
  certFile: string | undefined;
  /** What it connects with: that has an end if it joined. */
  credentials?: NatsOptions['credentials'];
  /** The authority that it believes: of a service that it joined also the one which made its certificate. */
  tls?: NatsOptions['tls'];
  /** What shows the certificate, and what announces it. */
  http: Pick<HttpServer, 'renew'>;
  service: Pick<AnnouncedAnalyzer, 'renew'>;
  clock: Clock;
  log: Logger;
}

export function keepCertificate(link: NatsLink, options: CertificateOptions): { stop(): void } {
  const { id, serving, certFile, http, service, clock, log } = options;
  let current = serving.tls;
  if (!current || certFile === undefined || !hasJoined(current, options)) return { stop: () => undefined };
  let isAsking = false;
  const look = async (now: Identity): Promise<void> => {
    if (isAsking || clock.nowMs() < halfOf(now.cert)) return;
    isAsking = true;
    try {
      const next = { ...now, cert: await askNext(link, id, now.cert) };
      requireIdentity('The renewed certificate and the key', next);
      await writeAtomic(certFile, next.cert, 0o644);
      await service.renew(fingerprintOf(next));
      http.renew(next);
      current = next;
      log.info({ until: new X509Certificate(next.cert).validTo }, 'certificate renewed');
    } catch (error) {
      log.warn({ err: error }, 'the certificate was not renewed; asking again');
    } finally {
      isAsking = false;
    }
  };
  const timer = setInterval(() => void (current && look(current)), LOOK_MS);
  void look(current);
  return { stop: () => clearInterval(timer) };
}

function hasJoined({ cert }: Identity, { credentials, tls }: CertificateOptions): boolean {
  if (credentials?.claims().expiresAtS === undefined || tls?.ca === undefined) return false;
  return new X509Certificate(cert).checkIssued(new X509Certificate(tls.ca));
}

/** When half of its life is over, in milliseconds since 1970. */
function halfOf(cert: string): number {
  const { validFrom, validTo } = new X509Certificate(cert);
  return (Date.parse(validFrom) + Date.parse(validTo)) / 2;
}

async function askNext({ connection }: NatsLink, id: string, cert: string): Promise<string> {
  const about = { code: 'MESSAGE_INVALID', what: 'The answer to a renewal' } as const;
  const [own] = cert.split(/(?<=-----END CERTIFICATE-----\n)/);
  const asked = { body: { cert: own }, timeoutMs: ANSWER_MS };
  const answer = parseMessage(
    answerSchema,
    await request(connection, subjects.renewAnalyzer(id), asked),
    about,
  );
  if ('error' in answer) throw new EntrainError('NOT_ALLOWED', answer.error.message);
  const { cert: next } = parseMessage(renewedSchema, answer.value, about);
  if (next !== undefined) return next;
  throw new EntrainError(
    'VERSION_MISMATCH',
    'The coordinator renews no certificates: expected one of this version; install it there, too.',
  );
}
