/** `entrain load`: its flags, and a short load on a real stream server with its recording. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openRecording } from '../../../src/journal/run-recording.ts';
import { run } from '../../../src/load/main.ts';
import { readLoadSettings } from '../../../src/load/settings.ts';
import { createPair } from '../../../src/load/simulated-pair.ts';
import { systemClock as clock } from '../../../src/process/clock.ts';
import { createKeys, verifyToken } from '../../../src/transport/stream/auth/access-token.ts';
import { createRoles } from '../../../src/transport/stream/auth/check-roles.ts';
import { createStreamServer } from '../../../src/transport/stream/receiver/server.ts';
import type { Frame } from '../../../src/transport/stream/sender/sender.ts';
import { silentLog as log } from '../../fixtures/stream/stream-fixture.ts';

const { privateKeyPem, publicKeyPem } = createKeys();
let folder: string;
let key: string[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-load-test-'));
  await writeFile(join(folder, 'private.pem'), privateKeyPem, { mode: 0o600 });
  key = ['--private-key', join(folder, 'private.pem')];
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  [[], /--url is missing/],
  [['--url', 'http://127.0.0.1:1'], /expected an address that begins with ws/],
  [['--url', 'ws://127.0.0.1:1', '--agents', '3'], /expected an even number/],
  [['--url', 'ws://127.0.0.1:1', '--rate', '0'], /--rate is "0"/],
])('refuses %j', async (argv, message) => {
  await expect(readLoadSettings([...argv, ...key])).rejects.toThrow(message);
});

it('sends what agents send, and leaves out what has no room', () => {
  const shape = { run: 'load', layers: 2, dims: 4, turnTokens: 3, branches: true };
  const sent: Frame[] = [];
  const sender = { append: (frame: Frame) => sent.push(frame), hasRoom: () => true };
  const pair = createPair(shape, 0, [sender, { ...sender, hasRoom: (kind) => kind === 'turn' }]);
  for (let token = 0; token < 4; token += 1) pair.token();
  const count = (type: Frame['type']): number => sent.filter((frame) => frame.type === type).length;
  // Two turns have begun, each with four versions at both agents; half of the tokens' frames had no room.
  expect({
    episode: count('episode'),
    turn: count('turn'),
    branch: count('branch'),
    steps: count('steps'),
  }).toEqual({ episode: 2, turn: 2, branch: 16, steps: 4 });
  expect(pair.figures()).toEqual({ sent: 24, shed: 4 });
});

it('measures a load on a real stream server that checks roles and records', async () => {
  const recording = await openRecording({ folder: join(folder, 'load'), log });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const roles = createRoles({ publicKeyPem });
  const kinds = new Set<string>();
  const stream = createStreamServer({
    server,
    authorize: (token) => verifyToken(publicKeyPem, token, { nowMs: clock.nowMs() }),
    admit: (message, claims) => roles.admit(message, claims),
    record: (_, name) => recording.stream(name),
    onRecorded: ({ type }) => void kinds.add(type),
    log,
    clock,
  });
  const said = vi.spyOn(process.stdout, 'write').mockImplementation(() => true);
  const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}/stream`;
  const shape = ['--layers', '2', '--dims', '16', '--rate', '20', '--turn-tokens', '5', '--seconds', '1'];
  const status = await run(['--url', url, ...key, ...shape, '--branches', '--json']);
  const figures = JSON.parse(
    said.mock.calls.map(([text]) => String(text)).find((text) => text.startsWith('{')) ?? '',
  ) as Record<string, number>;
  said.mockRestore();
  await stream.close();
  await recording.close();
  server.close();
  expect(status).toBe(0);
  expect(figures).toMatchObject({ agents: 2, shed: 0, acknowledged: true });
  expect(figures['frames']).toBeGreaterThan(20);
  expect(figures['megabytesPerS']).toBeGreaterThan(0);
  expect([...kinds].toSorted()).toEqual(['branch', 'episode', 'steps', 'turn']);
  expect(await readdir(join(folder, 'load', 'streams'))).toEqual(['load-0-a', 'load-0-b']);
});
