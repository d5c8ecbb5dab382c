/**
 * Lets analyzers in. One that joined answers for its own name alone, and has a certificate of the service's authority
 * under one host. That must not be one by which the NATS server is known: its owner could pose as that server.
 */
import { EntrainError } from '../../protocol/errors.ts';
import type {
  JoinedAnalyzer,
  JoinKeys,
  NewAnalyzer,
  RenewAnalyzer,
  Renewed,
} from '../../protocol/join-messages.ts';
import type { Caller } from '../../protocol/service-messages.ts';
import type { Clock } from '../../process/clock.ts';
import type { Logger } from '../../process/log.ts';
import { renewServerCertificate, signServerRequest } from '../../transport/http/authority/certificate.ts';
import { userToken } from '../../transport/nats/access/account-tokens.ts';
import type { ServiceRows } from './service-rows.ts';

/** Names that stand in the certificate of every NATS server of a service. */
const OF_NATS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1']);

export interface AnalyzerAdmission {
  keys: JoinKeys;
  /** How long what a program connects with holds. */
  credentialMs: number;
  rows: Pick<ServiceRows, 'analyzers' | 'writeAnalyzer'>;
  /** Whether an analyzer of this name is there. */
  hasAnalyzer(id: string): Promise<boolean>;
  /** Checks stream tokens: what every analyzer has to know. PEM. */
  streamKey: string;
  clock: Clock;
  log: Logger;
}

export interface AdmittedAnalyzer {
  joined: JoinedAnalyzer;
  /** Whether its name had another key before, which is void now. */
  replaces: boolean;
}

/**
 * @param use marks the token as used; called once everything was checked
 * @throws EntrainError `AGENT_TAKEN`, `MESSAGE_INVALID`, `NOT_ALLOWED`
 */
export async function admitAnalyzer(
  options: AnalyzerAdmission,
  { id, key, host, request }: NewAnalyzer,
  { token, by, use }: { token: string; by: Caller; use(): Promise<void> },
): Promise<AdmittedAnalyzer> {
  const { rows, clock, log } = options;
  await requireFree(options, id, key);
  const cert = await certify(options, { id, host, request });
  await use();
  const before = rows.analyzers.get(id);
  const atMs = clock.nowMs();
  const replaces = before !== undefined && before.key !== key;
  if (before?.key !== key) await rows.writeAnalyzer(id, { key, token, atMs, void: before?.void ?? [] });
  log.info({ analyzer: id, host, token, by: `${by.role} ${by.name}` }, 'analyzer joined');
  const { streamKey } = options;
  return { joined: { jwt: jwtOf(options, id, key), cert, streamKey }, replaces };
}

/** A name stands for one key, until an operator removes the analyzer. */
async function requireFree({ rows, hasAnalyzer }: AnalyzerAdmission, id: string, key: string): Promise<void> {
  const member = rows.analyzers.get(id);
  if (member ? member.key === key || isBarred(member) : !(await hasAnalyzer(id))) return;
  throw new EntrainError(
    'AGENT_TAKEN',
    `There is an analyzer "${id}" here already: give this one another name with --id NAME, or remove that one with "entrain remove ${id} --analyzer".`,
  );
}

const isBarred = (member: { key: string; void: readonly { key: string }[] }): boolean =>
  member.void.some(({ key }) => key === member.key);

async function certify(
  { keys, clock }: AnalyzerAdmission,
  { id, host, request }: Pick<NewAnalyzer, 'id' | 'host' | 'request'>,
): Promise<string> {
  if (OF_NATS.has(host.toLowerCase()) || host.toLowerCase() === hostOf(keys.url))
    throw new EntrainError(
      'NOT_ALLOWED',
      `An analyzer is not certified as ${host}, by which the NATS server of the service is known: say with --advertise under which other name or address agents reach this machine.`,
    );
  const authority = keys.authorityPair;
  const nowMs = clock.nowMs();
  const cert = authority && (await signServerRequest(authority, { request, name: id, hosts: [host], nowMs }));
  if (cert !== undefined) return cert;
  throw new EntrainError(
    'MESSAGE_INVALID',
    'The request for a certificate is none, or is not signed by its own key: expected PKCS #10 in PEM.',
  );
}

const hostOf = (url: string): string => new URL(url).hostname.replaceAll(/[[\]]/g, '').toLowerCase();

function jwtOf({ keys, credentialMs, clock }: AnalyzerAdmission, id: string, key: string): string {
  const expiresAtS = Math.ceil((clock.nowMs() + credentialMs) / 1000);
  return userToken(keys, { user: key, name: `analyzer-${id}`, runs: [], expiresAtS });
}

/**
 * The next token of NATS, and the next certificate if the analyzer shows the one that it has.
 * @throws EntrainError `NOT_ALLOWED`, `MESSAGE_INVALID`
 */
export async function renewAnalyzer(
  options: AnalyzerAdmission,
  id: string,
  { cert }: RenewAnalyzer,
): Promise<Renewed> {
  const { rows, keys, clock, log } = options;
  const member = rows.analyzers.get(id);
  if (!member || isBarred(member))
    throw new EntrainError(
      'NOT_ALLOWED',
      `Analyzer "${id}" did not join, or was removed: it has to join anew.`,
    );
  const jwt = jwtOf(options, id, member.key);
  if (cert === undefined) return { jwt };
  const authority = keys.authorityPair;
  const shown = { cert, name: id, nowMs: clock.nowMs() };
  const next = authority && (await renewServerCertificate(authority, shown));
  if (next === undefined)
    throw new EntrainError(
      'MESSAGE_INVALID',
      `What analyzer "${id}" has renewed is no certificate that this service made for it: expected the one of "entrain join"; let it join anew.`,
    );
  log.info({ analyzer: id }, 'certificate renewed');
  return { jwt, cert: next };
}

/** Notes that what an analyzer connects with is void, or takes that back. */
export async function barAnalyzer(
  { rows, clock }: AnalyzerAdmission,
  id: string,
  bars: boolean,
): Promise<void> {
  const member = rows.analyzers.get(id);
  if (!member)
    throw new EntrainError(
      'AGENT_UNKNOWN',
      `No analyzer "${id}" joined by a token: "entrain fleet" lists all; one of this machine is stopped with its service.`,
    );
  const others = member.void.filter(({ key }) => key !== member.key);
  // What was signed within this second is void too.
  const own = bars ? [{ key: member.key, atS: Math.ceil(clock.nowMs() / 1000) }] : [];
  await rows.writeAnalyzer(id, { ...member, void: [...others, ...own] });
}
