/**
 * A real analyzer with a disk budget: which recordings it removes after runs are over, how it says so, and what
 * `entrain` says of them.
 */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANALYZER_SERVICE, subjects } from '../../src/protocol/subjects.ts';
import type { RetentionEvent } from '../../src/protocol/nats-messages.ts';
import { findServices, request } from '../../src/transport/nats/services.ts';
import type { NatsLink } from '../../src/transport/nats/connection.ts';
import { until } from '../fixtures/programs/demo.ts';
import { startNats, type NatsFixture } from '../fixtures/programs/nats-fixture.ts';
import { recordedRun } from '../fixtures/recordings/recording-fixture.ts';
import { keys } from '../fixtures/stream/stream-fixture.ts';

const RUNS = ['pinned', 'first', 'second', 'running'];

let folder: string;
let runs: string;
let nats: NatsFixture;
let coordinator: NatsLink;
let analyzer: ChildProcess;
let url: string;
let runBytes: number;
const events: RetentionEvent[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-retention-'));
  runs = join(folder, 'runs');
  await mkdir(runs);
  const recorded = await recordedRun();
  for (const run of RUNS) await cp(recorded, join(runs, run), { recursive: true });
  runBytes = await segmentBytes('first');
  nats = await startNats(['coordinator', 'analyzer', 'supervisor']);
  coordinator = await nats.connect('coordinator');
  const supervisor = await nats.connect('supervisor');
  supervisor.connection.subscribe(subjects.analyzerEvent('*'), {
    callback: (_, message) => events.push(JSON.parse(message.string()) as RetentionEvent),
  });
  await supervisor.connection.flush();
  await startAnalyzer();
}, 60_000);
afterAll(async () => {
  analyzer.kill('SIGKILL');
  await nats.close();
  await rm(folder, { recursive: true, force: true });
});

/** Space for two and a half runs. */
async function startAnalyzer(): Promise<void> {
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  const budget = ['--budget-gb', ((runBytes * 2.5) / 1e9).toFixed(9)];
  const flags = ['--runs', runs, '--public-key', join(folder, 'public.pem'), ...budget];
  const user = { NATS_URL: nats.url, NATS_USER: 'analyzer', NATS_PASSWORD: 'analyzer-secret' };
  analyzer = spawn(process.execPath, ['bin/entrain.js', 'analyzer', ...flags], {
    env: { ...process.env, ...user, ENTRAIN_LOG: 'silent' },
    stdio: 'ignore',
  });
  url = await until('the analyzer', async () => {
    const [found] = await findServices(coordinator, ANALYZER_SERVICE, 100);
    return found?.metadata['httpUrl'];
  });
}

async function segmentBytes(run: string): Promise<number> {
  const streams = join(runs, run, 'streams');
  let bytes = 0;
  for (const file of await readdir(streams, { recursive: true }))
    if (file.endsWith('.seg')) bytes += (await stat(join(streams, file))).size;
  return bytes;
}

const isOver = (run: string): Promise<string> =>
  request(coordinator.connection, subjects.analyzerFinished('analyzer'), {
    body: { run },
    timeoutMs: 20_000,
  });
const entrain = (command: string, run: string) =>
  spawnSync(process.execPath, ['bin/entrain.js', command, run, '--runs', runs], { encoding: 'utf8' });

describe('an analyzer above its disk budget', () => {
  it('removes the oldest finished runs, and never a running or pinned one', async () => {
    expect(entrain('pin', 'pinned')).toMatchObject({ status: 0 });
    await isOver('pinned');
    expect(await segmentBytes('pinned'), 'pinned').toBe(runBytes);
    await isOver('first');
    await isOver('second');
    const left = await Promise.all(RUNS.map(segmentBytes));
    expect(left).toEqual([runBytes, 0, 0, runBytes]);
  });

  it('announces each removal', async () => {
    await expect
      .poll(() => events.map(({ run, bytes }) => [run, bytes]))
      .toEqual([
        ['first', runBytes],
        ['second', runBytes],
      ]);
  });

  it('counts removals', async () => {
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toContain(`\nentrain_recordings_bytes ${2 * runBytes}\n`);
    expect(metrics).toContain('\nentrain_recordings_removed_runs_total 2\n');
    expect(metrics).toContain(`\nentrain_recordings_removed_bytes_total ${2 * runBytes}\n`);
  });

  it('offers a new run only what is left beside runs that must stay', async () => {
    const answer = await request(coordinator.connection, subjects.analyzerDisk('analyzer'), {
      body: {},
      timeoutMs: 20_000,
    });
    const { maxRunBytes } = JSON.parse(answer) as { maxRunBytes: number };
    expect(Math.abs(maxRunBytes - runBytes / 2)).toBeLessThan(2);
  });

  it('refuses a run name that is not valid', async () => {
    await expect(isOver('../first')).rejects.toThrow('not valid');
  });
});

describe('the commands on a run folder', () => {
  const DATE = /^removed by retention on \d{4}-\d\d-\d\d \d\d:\d\d UTC \(\d+ segments, /;
  it('say that a run was removed', () => {
    expect(entrain('verify', 'first')).toMatchObject({
      status: 1,
      stdout: expect.stringMatching(DATE) as unknown,
    });
    for (const command of ['replay', 'export', 'pin']) {
      const { status, stderr } = entrain(command, 'first');
      expect([status, stderr], command).toEqual([1, expect.stringContaining('removed by retention on')]);
    }
  });

  it.each(['pinned', 'running'])('say that a run is %s', (run) => {
    expect(entrain('verify', run)).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('complete: yes') as unknown,
    });
  });
});
