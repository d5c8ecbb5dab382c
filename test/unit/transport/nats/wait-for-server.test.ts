/** Programs that are started before their NATS server. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { createLog } from '../../../../src/process/log.ts';
import { connectNats } from '../../../../src/transport/nats/connection.ts';
import { freePort } from '../../../fixtures/programs/free-port.ts';
import { findNatsServer } from '../../../fixtures/programs/tools.ts';

const log = createLog('test').child({}, { level: 'silent' });
const folder = mkdtempSync(join(tmpdir(), 'entrain-wait-'));
let server: ChildProcess | undefined;
afterEach(() => {
  server?.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

const startServer = (port: number): void => {
  const argv = ['--addr', '127.0.0.1', '--port', String(port), '--user', 'ada', '--pass', 'right'];
  server = spawn(findNatsServer(), argv, { cwd: tmpdir(), stdio: 'ignore' });
};
const optionsOf = (port: number, password = 'right') => ({
  url: `nats://127.0.0.1:${port}`,
  user: 'ada',
  password,
  name: 'test',
  log,
});

it('wait for it, and connect when it is there', async () => {
  const port = await freePort();
  const waiting = connectNats({ ...optionsOf(port), waitMs: 60_000 });
  setTimeout(() => startServer(port), 1500);
  const link = await waiting;
  expect(link.up()).toBe(true);
  await link.close();
});

it('give up after the time they were given, and at once without', async () => {
  const port = await freePort();
  for (const [waitMs, leastMs] of [
    [0, 0],
    [2500, 1000],
  ] as const) {
    const startedMs = performance.now();
    const given = connectNats({ ...optionsOf(port), waitMs });
    await expect(given).rejects.toMatchObject({ code: 'NATS_UNREACHABLE' });
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(leastMs);
  }
}, 20_000);

it('do not ask twice where they are refused', async () => {
  const port = await freePort();
  startServer(port);
  const link = await connectNats({ ...optionsOf(port), waitMs: 60_000 });
  await link.close();
  const refused = connectNats({ ...optionsOf(port, 'wrong'), waitMs: Infinity });
  await expect(refused).rejects.toMatchObject({ code: 'NATS_UNREACHABLE' });
}, 20_000);

it('do not show a password that stands in the address', async () => {
  const port = await freePort();
  const refused = connectNats({ url: `nats://ada:hush@127.0.0.1:${port}`, name: 'test', log });
  await expect(refused).rejects.toThrow(`NATS at nats://127.0.0.1:${port} did not`);
});
