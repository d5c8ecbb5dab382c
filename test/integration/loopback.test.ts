/**
 * Every program and every port of `entrain start`, as the kernel lists them: all on loopback unless told otherwise.
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDemo, until, writeSmallStudy, type Demo } from '../fixtures/programs/demo.ts';
import { descendantsOf } from '../fixtures/programs/processes.ts';

/** Only Linux lists here which process listens where. */
const onLinux = process.platform === 'linux';
const LISTENING = '0A';

let folder: string;
let demo: Demo;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-loopback-'));
  const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 4, maxTokens: 8 });
  demo = startDemo(folder, study);
  await until('the coordinator', () => /^coordinator {2}run/m.exec(demo.output())?.[0], 120_000);
}, 130_000);
afterAll(async () => {
  demo.child.kill('SIGTERM');
  await demo.ended;
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

/** Local addresses of the sockets on which a process listens, in hexadecimal as the kernel writes them. */
function listening(pid: number): string[] {
  const own = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return []; // closed while we looked
      }
    }),
  );
  return ['tcp', 'tcp6'].flatMap((kind) =>
    readFileSync(`/proc/${pid}/net/${kind}`, 'utf8')
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === LISTENING && own.has(cells[9] ?? ''))
      .map((cells) => cells[1]?.split(':')[0] ?? ''),
  );
}

/** 127.0.0.1, little-endian, or ::1. */
const isLoopback = (address: string): boolean =>
  /^......7F$/.test(address) || address === '00000000000000000000000001000000';

const programOf = (pid: number): string => {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  const program = command.find((word) => /^(analyzer|agent|coordinator)$/.test(word));
  return program ?? (/nats-server/.test(command[0] ?? '') ? 'nats-server' : 'none');
};

it('entrain start prints how much disk the study may take, and for how long the free space lasts', () => {
  const line = /^disk {9}this study takes \S+ GB at most; room for \S+ GB, \S+ hours at 50 tokens\/s$/m;
  expect(demo.output()).toMatch(line);
});

describe.runIf(onLinux)('the ports that entrain start opens', () => {
  it('are on loopback, for every program', () => {
    const found = descendantsOf(demo.child.pid ?? 0).map((pid) => [programOf(pid), listening(pid)] as const);
    for (const program of ['nats-server', 'analyzer', 'agent', 'coordinator']) {
      const ports = found.filter(([name]) => name === program).flatMap(([, addresses]) => addresses);
      expect(ports.length, program).toBeGreaterThan(0);
      expect(
        ports.filter((address) => !isLoopback(address)),
        program,
      ).toEqual([]);
    }
    expect(found.flatMap(([, addresses]) => addresses).filter((address) => !isLoopback(address))).toEqual([]);
  });

  it.each(['0.0.0.0', '::'])('would be detected on %s', async (host) => {
    const server = createServer().listen(0, host);
    await new Promise((resolve) => server.once('listening', resolve));
    expect((server.address() as AddressInfo).port).toBeGreaterThan(0);
    expect(listening(process.pid).some((address) => !isLoopback(address))).toBe(true);
    server.close();
  });
});
