/**
 * The NATS connection of every program: it has a name and a private inbox, reconnects for ever, and takes its
 * credentials from the environment or from a file of mode 0600, never from the command line.
 */
import {
  connect,
  ErrorCode,
  Events,
  jwtAuthenticator,
  type Authenticator,
  type ConnectionOptions,
  type NatsConnection,
} from 'nats';
import { EntrainError } from '../../protocol/errors.ts';
import { systemClock } from '../../process/clock.ts';
import { environment } from '../../process/environment.ts';
import type { Logger } from '../../process/log.ts';
import { readSecretFile } from '../../process/secret-file.ts';
import { readCredentials, type Credentials } from './access/credentials.ts';
import { inboxPrefix } from './inbox.ts';
import { readAuthority, readIdentity, type ClientTls } from '../http/tls.ts';

export interface NatsOptions {
  url: string;
  user?: string;
  password?: string;
  /** In place of a password, for a server that takes tokens of NATS. */
  credentials?: Credentials;
  /** If given, a server without TLS is refused. */
  tls?: ClientTls;
  /** On how many servers of a cluster streams and buckets are kept that this program makes. */
  replicas?: number;
}

export interface NatsLink {
  connection: NatsConnection;
  /** On how many servers of a cluster what is made over this link is kept; 1 if it is not said. */
  replicas?: number;
  /** Prefix of the subjects on which answers come back. */
  inbox: string;
  /** Whether the server is connected right now. */
  up(): boolean;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5000;
const RETRY_MS = 1000;
const REMIND_MS = 30_000;
/** A server that does not run yet, a name that is not known yet, a network that is not there yet. */
const NOT_THERE: ReadonlySet<string | undefined> = new Set<string>([
  ErrorCode.ConnectionRefused,
  ErrorCode.ConnectionTimeout,
  ErrorCode.Timeout,
  ErrorCode.Disconnect,
  'ECONNRESET',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

/**
 * Reads `NATS_URL`, one address or several with commas; `NATS_REPLICAS`; `NATS_CREDS_FILE`, or `NATS_USER` with
 * `NATS_PASSWORD` or `NATS_PASSWORD_FILE`; and for TLS `NATS_CA_FILE`, `NATS_CERT_FILE` and `NATS_KEY_FILE`.
 * @throws EntrainError `CONFIG_INVALID`
 */
export async function natsFromEnvironment(): Promise<NatsOptions> {
  const url = environment('NATS_URL');
  if (!url) {
    throw new EntrainError(
      'CONFIG_INVALID',
      'NATS_URL is not set: expected the address of a NATS server, such as nats://127.0.0.1:4222.',
    );
  }
  const tls = await readTls(url);
  const secured = { url, replicas: readReplicas(), ...(tls ? { tls } : {}) };
  const file = environment('NATS_CREDS_FILE');
  if (file) return { ...secured, ...asUser(await readCredentials('NATS_CREDS_FILE', file)) };
  const user = environment('NATS_USER');
  const password = await readPassword();
  return { ...secured, ...(user ? { user } : {}), ...(password ? { password } : {}) };
}

function readReplicas(): number {
  const text = environment('NATS_REPLICAS') ?? '1';
  if (/^[135]$/.test(text)) return Number(text);
  throw new EntrainError(
    'CONFIG_INVALID',
    `NATS_REPLICAS is "${text}": expected 1, or 3 or 5 for a cluster of as many servers.`,
  );
}

/** The options by which a program connects with credentials. */
export const asUser = (credentials: Credentials): Pick<NatsOptions, 'user' | 'credentials'> => ({
  user: credentials.name,
  credentials,
});

async function readPassword(): Promise<string | undefined> {
  const file = environment('NATS_PASSWORD_FILE');
  if (!file) return environment('NATS_PASSWORD');
  return (await readSecretFile('NATS_PASSWORD_FILE', file, 'the password alone')).trim();
}

/** Uses TLS if the address says so, or if an authority or a certificate is named. */
async function readTls(url: string): Promise<ClientTls | undefined> {
  const ca = await readAuthority('NATS_CA_FILE', environment('NATS_CA_FILE'));
  const identity = await readIdentity({ cert: 'NATS_CERT_FILE', key: 'NATS_KEY_FILE' }, [
    environment('NATS_CERT_FILE'),
    environment('NATS_KEY_FILE'),
  ]);
  if (!ca && !identity && !url.startsWith('tls://')) return undefined;
  return { ...(ca ? { ca } : {}), ...identity };
}

/**
 * Connects. Where no server answers it tries again for `waitMs` milliseconds; one that answers and refuses is not asked
 * twice. A link that is lost later comes back by itself.
 * @throws EntrainError `NATS_UNREACHABLE`
 */
export async function connectNats(
  options: NatsOptions & { name: string; log: Logger; waitMs?: number },
): Promise<NatsLink> {
  const { log, waitMs = 0 } = options;
  const connection = await connectWithin(waitMs, options).catch((cause: unknown) => {
    throw new EntrainError(
      'NATS_UNREACHABLE',
      `NATS at ${withoutUser(options.url)} did not accept the connection (${describe(cause)}): expected a running nats-server and valid credentials; check NATS_URL.`,
      { cause },
    );
  });
  const state = { up: true };
  void watchStatus(connection, log, state);
  const { replicas = 1 } = options;
  const inbox = inboxOf(options);
  return { connection, replicas, inbox, up: () => state.up, close: () => closeQuietly(connection) };
}

async function connectWithin(
  waitMs: number,
  options: NatsOptions & { name: string; log: Logger },
): Promise<NatsConnection> {
  const { url, log } = options;
  const startedMs = systemClock.monotonicMs();
  let remindedMs = -Infinity;
  for (;;) {
    try {
      return await connect(connectionOptions(options));
    } catch (error) {
      const nowMs = systemClock.monotonicMs();
      const isNotThere = NOT_THERE.has((error as { code?: string } | undefined)?.code);
      if (!isNotThere || nowMs - startedMs + RETRY_MS > waitMs) throw error;
      if (nowMs - remindedMs >= REMIND_MS) {
        log.warn(
          { nats: withoutUser(url), fault: describe(error) },
          'no NATS server answers; waiting for it',
        );
        remindedMs = nowMs;
      }
      await new Promise((done) => setTimeout(done, RETRY_MS));
    }
  }
}

const connectionOptions = ({
  url,
  user,
  password,
  credentials,
  tls,
  name,
}: NatsOptions & { name: string }): ConnectionOptions => ({
  servers: url.split(','),
  name,
  inboxPrefix: inboxOf({ user, name }),
  maxReconnectAttempts: -1,
  reconnectTimeWait: 250,
  reconnectJitter: 250,
  pingInterval: 5000,
  maxPingOut: 2,
  timeout: CONNECT_TIMEOUT_MS,
  ...(user && !credentials ? { user } : {}),
  ...(credentials ? { authenticator: authenticatorOf(credentials) } : {}),
  ...(password ? { pass: password } : {}),
  ...(tls ? { tls } : {}),
});

const inboxOf = ({ user, name }: { user?: string | undefined; name: string }): string =>
  inboxPrefix(user ?? name);

const authenticatorOf = (credentials: Credentials): Authenticator =>
  jwtAuthenticator(() => credentials.jwt(), Buffer.from(credentials.seed));

async function watchStatus(connection: NatsConnection, log: Logger, state: { up: boolean }): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === Events.Disconnect) state.up = false;
    if (status.type === Events.Reconnect) state.up = true;
    if (
      status.type === Events.Disconnect ||
      status.type === Events.Reconnect ||
      status.type === Events.Error
    ) {
      const subject = 'permissionContext' in status ? status.permissionContext?.subject : undefined;
      // The right to answer ends with the link. The message is sent again, and acknowledged then.
      const level = isAcknowledgement(subject) ? 'debug' : 'warn';
      log[level]({ status: status.type, detail: describe(status.data) }, 'NATS connection changed');
    }
  }
}

const isAcknowledgement = (subject: string | undefined): boolean => subject?.startsWith('$JS.ACK.') === true;

async function closeQuietly(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  await Promise.race([
    connection.drain().catch(() => undefined),
    new Promise((done) => setTimeout(done, 2000).unref()),
  ]);
  if (!connection.isClosed()) await connection.close();
}

/** An address may hold a user and a password. */
const withoutUser = (url: string): string => url.replace(/\/\/[^/]*@/, '//');

function describe(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}
