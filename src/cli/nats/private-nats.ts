/**
 * Starts a private nats-server for one run on this machine: JetStream, loopback, a free port, a password for
 * each program.
 */
import { randomBytes } from 'node:crypto';
import { access, constants, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { makeFolder } from '../../process/make-folder.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { environment } from '../../process/environment.ts';
import type { RunClaim } from '../../process/run-folder/run-claim.ts';
import { childFault, startChild, type Child } from '../start/child-processes.ts';
import { keepStreams } from './keep-streams.ts';
import { natsConfig, type NatsUser } from './nats-config.ts';

export interface PrivateNats {
  url: string;
  child: Child;
  /** Environment variables with which a program connects as this user. */
  credentials(user: string): Record<string, string>;
}

export interface PrivateNatsOptions {
  /** Private folder of the run, mode 0700. */
  secretsFolder: string;
  storeFolder: string;
  logFolder: string;
  users: string[];
  /** The runs of this server. */
  runs: readonly string[];
  /** Where the server writes the port that it chose; empty. */
  portsFolder: string;
  /** The port, if it is not to choose a free one. */
  port?: number;
  claim: Pick<RunClaim, 'addChild'>;
}

const START_MS = 15_000;

export async function startPrivateNats(options: PrivateNatsOptions): Promise<PrivateNats> {
  const { secretsFolder, storeFolder, portsFolder, port, runs } = options;
  const users = await Promise.all(
    options.users.map(async (name): Promise<NatsUser> => ({
      name,
      password: await passwordOf(secretsFolder, name),
      runs,
    })),
  );
  await makeFolder(storeFolder);
  await keepStreams(storeFolder);
  const place = { storeFolder, portsFolder, users, ...(port === undefined ? {} : { port }) };
  const files = await writePasswords(secretsFolder, users);
  const { url, child } = await startNatsServer(natsConfig(place), options);
  return {
    url,
    child,
    credentials: (user) => ({ NATS_URL: url, NATS_USER: user, NATS_PASSWORD_FILE: files.get(user) ?? '' }),
  };
}

/** Starts nats-server with a configuration that lets it choose a port, or names one. */
export async function startNatsServer(
  config: string,
  place: Pick<PrivateNatsOptions, 'secretsFolder' | 'portsFolder' | 'logFolder' | 'claim'>,
): Promise<{ url: string; child: Child }> {
  const { secretsFolder, portsFolder, logFolder, claim } = place;
  const file = join(secretsFolder, 'nats.conf');
  await writeFile(file, config, { mode: 0o600 });
  const binary = await findBinary(environment('ENTRAIN_NATS_SERVER') ?? 'nats-server');
  const argv = [fileURLToPath(new URL('./nats-guard.js', import.meta.url)), binary, file];
  const child = await startChild({ name: 'nats-server', argv, environment: {}, logFolder, claim });
  const { url, pid } = await awaitPorts(portsFolder, { child, logFolder });
  await claim.addChild(pid);
  return { url, child };
}

/** Debian installs servers in folders that are not on an ordinary user's PATH. */
const SERVER_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/usr/local/bin'];

async function findBinary(name: string): Promise<string> {
  const folders = [...(environment('PATH') ?? '').split(delimiter), ...SERVER_FOLDERS];
  const places = isAbsolute(name) ? [name] : folders.map((folder) => join(folder, name));
  for (const place of places) {
    const runs = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return place;
  }
  throw new EntrainError(
    'NATS_MISSING',
    `There is no ${name} to run: expected nats-server 2.9.10 or newer on PATH; install it, name it in ENTRAIN_NATS_SERVER, or set NATS_URL to a server of yours.`,
  );
}

/** A service that is started again keeps the passwords that its users have. */
async function passwordOf(folder: string, user: string): Promise<string> {
  const kept = await readFile(passwordFile(folder, user), 'utf8').catch(() => '');
  return kept.trim() || randomBytes(24).toString('base64url');
}

const passwordFile = (folder: string, user: string): string => join(folder, `${user}.password`);

async function writePasswords(folder: string, users: NatsUser[]): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for (const { name, password } of users) {
    const file = passwordFile(folder, name);
    await writeFile(file, `${password}\n`, { mode: 0o600 });
    files.set(name, file);
  }
  return files;
}

/** Waits for the file in which nats-server writes the free port that it chose. */
async function awaitPorts(folder: string, from: { child: Child; logFolder: string }): Promise<Ports> {
  const stopped = from.child.ended.then(async (end) => {
    throw await childFault(end, from.logFolder);
  });
  const found = (async () => {
    for (let waitedMs = 0; waitedMs < START_MS; waitedMs += 50) {
      const ports = await readPorts(folder);
      if (ports) return ports;
      await new Promise((done) => setTimeout(done, 50));
    }
    throw new EntrainError(
      'NATS_UNREACHABLE',
      `nats-server did not listen within ${START_MS / 1000} s: see ${join(from.logFolder, 'nats-server.log')}.`,
    );
  })();
  return Promise.race([found, stopped]);
}

interface Ports {
  url: string;
  /** Process id of nats-server itself, below its guard. */
  pid: number;
}

/** The ports in the file `nats-server_PID.ports`; undefined while there is none. */
async function readPorts(folder: string): Promise<Ports | undefined> {
  const file = (await readdir(folder)).find((name) => name.endsWith('.ports'));
  const pid = Number(/_(\d+)\.ports$/.exec(file ?? '')?.[1]);
  if (!file || !Number.isInteger(pid)) return undefined;
  try {
    const ports = JSON.parse(await readFile(join(folder, file), 'utf8')) as { nats?: string[] };
    const [url] = ports.nats ?? [];
    return url === undefined ? undefined : { url, pid };
  } catch {
    return undefined; // caught in the middle of being written
  }
}
