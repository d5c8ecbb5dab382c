/** A nats-server that others use too: an account without JetStream, and one with limits of its own. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { names, subjects } from '../../../../src/protocol/subjects.ts';
import { createConsumer, createRunStream, publishStored } from '../../../../src/transport/nats/streams.ts';
import { freePort } from '../../../fixtures/programs/free-port.ts';
import { findNatsServer } from '../../../fixtures/programs/tools.ts';

let folder: string;
let server: ChildProcess;
let port: number;
const links: NatsConnection[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-accounts-'));
  port = await freePort();
  server = spawn(findNatsServer(), ['-c', await configure(40_000)], { stdio: 'ignore' });
});

/** @returns the file */
async function configure(mostBytes: number): Promise<string> {
  const limits = `{ max_streams: 1, max_disk: ${mostBytes}, max_consumers: 1 }`;
  const user = (name: string): string => `users: [{ user: ${name}, password: x }]`;
  const accounts = `PLAIN { ${user('plain')} }, LIMITED { jetstream: ${limits}, ${user('limited')} }, SYS { ${user('sys')} }`;
  const file = join(folder, 'nats.conf');
  await writeFile(
    file,
    `listen: 127.0.0.1:${port}\njetstream { store_dir: ${JSON.stringify(join(folder, 'store'))} }\naccounts { ${accounts} }\nsystem_account: SYS\n`,
  );
  return file;
}
afterAll(async () => {
  for (const link of links) await link.close();
  const ended = once(server, 'exit');
  server.kill('SIGKILL');
  await ended;
  await rm(folder, { recursive: true, force: true });
});

async function as(user: string): Promise<NatsConnection> {
  const to = { servers: `nats://127.0.0.1:${port}`, user, pass: 'x', waitOnFirstConnect: true };
  const link = await connect({ ...to, reconnectTimeWait: 100, maxReconnectAttempts: 100 });
  links.push(link);
  return link;
}

const streamOf = (run: string) => ({ name: names.stream(run), subjects: subjects.stored(run) });

it('an account without JetStream is named, with what to do', async () => {
  await expect(createRunStream(await as('plain'), streamOf('r1'))).rejects.toMatchObject({
    code: 'NATS_NO_JETSTREAM',
    message: expect.stringContaining('in the account') as unknown,
  });
});

it('an account that may have no more streams is named, and one that is full makes a publisher wait for room', async () => {
  const connection = await as('limited');
  await createRunStream(connection, streamOf('r1'));
  await expect(createRunStream(connection, streamOf('r2'))).rejects.toMatchObject({ code: 'NATS_FULL' });
  const consumer = (agent: string) =>
    createConsumer(connection, {
      stream: names.stream('r1'),
      name: names.specConsumer(agent),
      filter: subjects.specsOf('r1', agent),
    });
  await consumer('ada');
  await expect(consumer('ben')).rejects.toMatchObject({ code: 'NATS_FULL' });
  const event = (name: string) => ({ subject: subjects.event('r1', name), body: 'x'.repeat(10_000) });
  let stored = 0;
  const all = (async () => {
    for (; stored < 6; stored += 1) await publishStored(connection, event(`e${stored}`));
  })();
  await expect.poll(() => stored, { timeout: 10_000 }).toBe(3);
  await new Promise((done) => setTimeout(done, 1500));
  expect(stored).toBe(3);
  await configure(400_000);
  server.kill('SIGHUP');
  await all;
});
