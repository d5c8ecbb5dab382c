/** A real nats-server for a test, on a port of its own choice, with the users of a private run; ended with the test. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { natsConfig } from '../src/cli/nats-config.ts';
import { createLog } from '../src/process/log.ts';
import { connectNats, type NatsLink } from '../src/transport/nats.ts';
import type { ClientTls } from '../src/transport/tls.ts';
import type { Certificates } from './certificates.ts';
import { findNatsServer } from './tools.ts';

/** A user by name, or with runs of its own. */
export type FixtureUser = string | { name: string; runs: string[] };

export interface NatsFixture {
  url: string;
  connect(user: string): Promise<NatsLink>;
  /** SIGKILL, and the same server on the same store and port again. */
  restart(): Promise<void>;
  /** Other users, read by the server that runs. */
  reload(users: FixtureUser[]): Promise<void>;
  close(): Promise<void>;
}

export interface NatsFixtureOptions {
  /** The runs that users are let into who do not name their own. */
  runs?: string[];
  /** With them it speaks TLS alone, under the name `nats`. */
  certificates?: Certificates | undefined;
}

export async function startNats(
  users: FixtureUser[],
  { runs = ['r1'], certificates }: NatsFixtureOptions = {},
): Promise<NatsFixture> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-nats-'));
  const config = join(folder, 'nats.conf');
  const configure = (known: FixtureUser[], port?: number): Promise<void> => {
    const named = known
      .map((user) => (typeof user === 'string' ? { name: user, runs } : user))
      .map((user) => ({ ...user, password: `${user.name}-secret` }));
    const place = { storeFolder: join(folder, 'store'), portsFolder: folder, users: named };
    const text = natsConfig(port === undefined ? place : { ...place, port });
    return writeFile(config, `${text}${certificates ? tlsBlock(certificates) : ''}`);
  };
  await configure(users);
  let server = startServer(config);
  const url = await awaitUrl(folder);
  const tls: ClientTls | undefined = certificates && { ca: await readFile(certificates.ca, 'utf8') };
  const log = createLog('test').child({}, { level: 'silent' });
  const links: NatsLink[] = [];
  return {
    url,
    connect: async (user) => {
      const secured = tls ? { tls } : {};
      const link = await connectNats({ url, user, password: `${user}-secret`, name: user, log, ...secured });
      links.push(link);
      return link;
    },
    restart: async () => {
      await configure(users, Number(new URL(url).port));
      await server.kill();
      server = startServer(config);
    },
    reload: async (others) => {
      await configure(others);
      server.reload();
    },
    close: async () => {
      await Promise.all(links.map((link) => link.close()));
      await server.kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function tlsBlock(certificates: Certificates): string {
  const { cert, key } = certificates.of('nats');
  return `\ntls { cert_file: ${JSON.stringify(cert)}, key_file: ${JSON.stringify(key)} }\n`;
}

function startServer(config: string): { kill(): Promise<void>; reload(): void } {
  const server = spawn(findNatsServer(), ['-c', config], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  return {
    reload: () => void server.kill('SIGHUP'),
    kill: () => {
      server.kill('SIGKILL');
      return ended;
    },
  };
}

async function awaitUrl(folder: string): Promise<string> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const file = (await readdir(folder)).find((name) => name.endsWith('.ports'));
    const text = file ? await readFile(join(folder, file), 'utf8') : '';
    if (text.endsWith('}')) return (JSON.parse(text) as { nats: string[] }).nats[0] ?? '';
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error('nats-server did not say where it listens');
}
