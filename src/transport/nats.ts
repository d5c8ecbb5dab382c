/**
 * The connection to NATS that every program makes: named, with a private inbox, reconnecting for ever, its credentials
 * from the environment or from a file of mode 0600, never from the command line.
 */
import { readFile } from 'node:fs/promises';
import { connect, Events, type NatsConnection } from 'nats';
import { EntrainError } from '../protocol/errors.ts';
import { environment } from '../process/environment.ts';
import type { Logger } from '../process/log.ts';

export interface NatsOptions {
  url: string;
  user?: string;
  password?: string;
}

export interface NatsLink {
  connection: NatsConnection;
  /** Whether the server is connected right now. */
  up(): boolean;
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 5000;

/** Reads `NATS_URL`, `NATS_USER` and `NATS_PASSWORD` or `NATS_PASSWORD_FILE`. */
export async function natsFromEnvironment(): Promise<NatsOptions> {
  const url = environment('NATS_URL');
  if (!url) {
    throw new EntrainError(
      'CONFIG_INVALID',
      'NATS_URL is not set: expected the address of a NATS server, such as nats://127.0.0.1:4222.',
    );
  }
  const user = environment('NATS_USER');
  const password = await readPassword();
  return { url, ...(user ? { user } : {}), ...(password ? { password } : {}) };
}

async function readPassword(): Promise<string | undefined> {
  const file = environment('NATS_PASSWORD_FILE');
  if (!file) return environment('NATS_PASSWORD');
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (cause) {
    throw new EntrainError(
      'CONFIG_INVALID',
      `NATS_PASSWORD_FILE cannot be read (${file}): expected a file with the password alone.`,
      { cause },
    );
  }
}

/**
 * Connects; the first attempt must succeed, later breaks are mended by themselves.
 * @throws EntrainError `NATS_UNREACHABLE`
 */
export async function connectNats(options: NatsOptions & { name: string; log: Logger }): Promise<NatsLink> {
  const { url, user, password, name, log } = options;
  const connection = await connect({
    servers: url,
    name,
    inboxPrefix: inboxPrefix(user ?? name),
    maxReconnectAttempts: -1,
    reconnectTimeWait: 250,
    reconnectJitter: 250,
    pingInterval: 5000,
    maxPingOut: 2,
    timeout: CONNECT_TIMEOUT_MS,
    ...(user ? { user } : {}),
    ...(password ? { pass: password } : {}),
  }).catch((cause: unknown) => {
    throw new EntrainError(
      'NATS_UNREACHABLE',
      `NATS at ${url} did not accept the connection (${describe(cause)}): expected a running nats-server and valid credentials; check NATS_URL.`,
      { cause },
    );
  });
  const state = { up: true };
  void watchStatus(connection, log, state);
  return { connection, up: () => state.up, close: () => closeQuietly(connection) };
}

/** The inbox that a user may subscribe to; the server configuration allows no other. */
export function inboxPrefix(user: string): string {
  return `_INBOX_${user.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`;
}

async function watchStatus(connection: NatsConnection, log: Logger, state: { up: boolean }): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === Events.Disconnect) state.up = false;
    if (status.type === Events.Reconnect) state.up = true;
    if (
      status.type === Events.Disconnect ||
      status.type === Events.Reconnect ||
      status.type === Events.Error
    ) {
      log.warn({ status: status.type, detail: describe(status.data) }, 'NATS connection changed');
    }
  }
}

async function closeQuietly(connection: NatsConnection): Promise<void> {
  if (connection.isClosed()) return;
  await Promise.race([
    connection.drain().catch(() => undefined),
    new Promise((done) => setTimeout(done, 2000).unref()),
  ]);
  if (!connection.isClosed()) await connection.close();
}

function describe(value: unknown): string {
  return value instanceof Error ? value.message : String(value);
}
