/**
 * deploy/nats-cluster.conf with three real servers: a run goes on while the server that leads its stream is killed, and
 * nothing of it is lost or said twice.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { natsAuthorization } from '../../src/cli/nats/nats-config.ts';
import { writeKeys } from '../../src/cli/keys.ts';
import { names } from '../../src/protocol/subjects.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { connectNats, type NatsLink } from '../../src/transport/nats/connection.ts';
import { ANY_RUN } from '../../src/transport/nats/permissions.ts';
import { testModel, until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { readTranscript } from '../fixtures/programs/fleet.ts';
import { freePort } from '../fixtures/programs/free-port.ts';
import { serviceUser } from '../fixtures/programs/service-user.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

const SERVERS = ['nats-0', 'nats-1', 'nats-2'];
/** Of each of two episodes: many more than are spoken while the test looks for the leader. */
const TURNS = 48;
const USERS = ['coordinator', 'analyzer', 'agent-ada', 'agent-ben', 'operator'];
const log = pino({ level: 'silent' });

let folder: string;
let url: string;
const servers = new Map<string, ChildProcess>();
const programs: ChildProcess[] = [];
const said = { coordinator: '' };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-cluster-'));
  const ports = new Map<string, { client: number; route: number }>();
  for (const name of SERVERS) ports.set(name, { client: await freePort(), route: await freePort() });
  const users = USERS.map((name) => ({ name, password: `${name}-secret`, runs: [ANY_RUN] }));
  await writeFile(join(folder, 'users.conf'), natsAuthorization(users));
  const config = await readFile('deploy/nats-cluster.conf', 'utf8');
  for (const [name, { client, route }] of ports) {
    const own = config
      .replace('port: 4222', `port: ${client}`)
      .replace('port: 6222', `port: ${route}`)
      .replace('http: "127.0.0.1:8222"', '')
      .replaceAll('"0.0.0.0"', '"127.0.0.1"')
      .replace('"/data"', JSON.stringify(join(folder, name)))
      .replaceAll(
        /nats:\/\/(nats-\d):6222/g,
        (_, other: string) => `nats://127.0.0.1:${ports.get(other)?.route}`,
      );
    await writeFile(join(folder, `${name}.conf`), own);
    const env = { ...process.env, NATS_NAME: name };
    servers.set(
      name,
      spawn(findNatsServer(), ['-c', join(folder, `${name}.conf`)], { env, stdio: 'ignore' }),
    );
  }
  url = [...ports.values()].map(({ client }) => `nats://127.0.0.1:${client}`).join(',');
  await mkdir(join(folder, 'runs'));
  const { privateKey, publicKey } = await writeKeys(join(folder, 'keys'));
  start('analyzer', ['analyzer', '--port', '0', '--public-key', publicKey, '--runs', join(folder, 'runs')]);
  start('coordinator', ['coordinator', '--private-key', privateKey, '--runs', join(folder, 'runs')]);
  for (const id of ['ada', 'ben']) {
    const places = ['--data', join(folder, 'spool'), '--cache', join(folder, 'cache')];
    start(`agent-${id}`, ['agent', '--id', id, '--model', testModel, ...places]);
  }
});
afterAll(async () => {
  for (const child of [...programs, ...servers.values()]) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

function start(user: string, argv: string[]): void {
  const variables = { NATS_URL: url, NATS_USER: user, NATS_PASSWORD: `${user}-secret`, NATS_REPLICAS: '3' };
  const child = spawn(process.execPath, ['bin/entrain.js', ...argv], {
    env: { ...process.env, ...variables },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child.stderr.on('data', (part: Buffer) => {
    if (user === 'coordinator') said.coordinator += part.toString();
  });
  programs.push(child);
}

/** Name of the server that leads the stream, and how many others follow it. */
async function leaderOf(
  { connection }: NatsLink,
  stream: string,
): Promise<{ leader: string; followers: number }> {
  const { cluster } = await (await connection.jetstreamManager()).streams.info(stream);
  return { leader: cluster?.leader ?? '', followers: cluster?.replicas?.length ?? 0 };
}

it('goes on with a run when the server that leads its stream is killed', async () => {
  await until('a leader', () => said.coordinator.includes('leads the runs') || undefined, 90_000).catch(
    (error: unknown) => {
      throw new Error(`${String(error)}; the coordinator said: ${said.coordinator.slice(-1000)}`);
    },
  );
  const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: TURNS, maxTokens: 6 });
  const operator = serviceUser({ url }, 'operator');
  expect(await operator.entrain('submit', study, '--name', 'clustered')).toMatchObject({ status: 0 });
  const spoken = async () => (await readTranscript(join(folder, 'runs'), 'clustered')).length;
  await until('some turns', async () => (await spoken()) >= 4 || undefined, 120_000);

  const own = { url, user: 'coordinator', password: 'coordinator-secret', name: 'test', log };
  const link = await connectNats(own);
  const { leader, followers } = await leaderOf(link, names.stream('clustered'));
  expect({ followers, isOne: SERVERS.includes(leader) }).toEqual({ followers: 2, isOne: true });
  expect((await leaderOf(link, `KV_${names.rowsBucket}`)).followers).toBe(2);
  expect((await leaderOf(link, `KV_${names.leaseBucket}`)).followers).toBe(2);
  servers.get(leader)?.kill('SIGKILL');
  const atKill = await spoken();
  await until('talk again', async () => (await spoken()) > atKill + 2 || undefined, 60_000);
  await link.close();
  await operator.awaitState('clustered', 'finished', 180_000);
  const { faults, lacking, utterances } = await verifyRun(join(folder, 'runs', 'clustered'));
  expect({ faults, lacking, utterances }).toEqual({
    faults: [],
    lacking: [],
    utterances: { total: 2 * TURNS, incomplete: [] },
  });
}, 400_000);
