/**
 * Starting one run name twice: the second start is refused while the run goes on, and touches nothing. After kill -9
 * of all processes, the same command continues at once.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { startDemo, until, writeSmallStudy, type Demo } from '../fixtures/programs/demo.ts';
import { descendantsOf } from '../fixtures/programs/processes.ts';

const STUDY = { scenarios: 2, episodes: 2, maxTurns: 10, maxTokens: 8 };
const TURNS = 2 * 2 * 2 * 10;

let folder: string;
let study: string;
const demos: Demo[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-twice-'));
  study = await writeSmallStudy(folder, STUDY);
});
afterAll(async () => {
  for (const { child } of demos) child.kill('SIGTERM');
  await Promise.all(demos.map(({ ended }) => ended));
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

function start(): Demo {
  const demo = startDemo(folder, study, ['--once']);
  demos.push(demo);
  return demo;
}

const transcript = async ({ folder: run }: Demo): Promise<string[]> =>
  (await readFile(join(run, 'transcript.jsonl'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

const turns = (demo: Demo, count: number): Promise<true> =>
  until(`${count} turns`, async () => (await transcript(demo)).length >= count || undefined, 120_000);

describe('starting a run name twice', { timeout: 400_000 }, () => {
  it('is refused while the run goes on, without harm to it, and continues the run after kill -9', async () => {
    const first = start();
    await turns(first, 4);
    const secrets = await readdir(join(first.folder, 'secrets'));
    const second = start();
    expect(await second.ended).toBe(1);
    expect(second.output()).toMatch(
      new RegExp(`^entrain: Run demo is running here \\(pid ${first.child.pid},`),
    );
    expect(await readdir(join(first.folder, 'secrets'))).toEqual(secrets);

    // First only the supervisor: its programs have some seconds left, in which the next life must not meet them.
    await turns(first, 8);
    first.child.kill('SIGKILL');
    const third = start();
    await turns(third, 20);
    // Then everything at once, as in a loss of power.
    for (const pid of [third.child.pid ?? 0, ...descendantsOf(third.child.pid ?? 0)])
      process.kill(pid, 'SIGKILL');
    await third.ended;
    const fourth = start();
    expect(await fourth.ended, fourth.output()).toBe(0);

    const lines = await transcript(fourth);
    expect(new Set(lines).size).toBe(lines.length);
    expect(lines).toHaveLength(TURNS);
    const { faults, utterances } = await verifyRun(fourth.folder);
    expect(faults).toEqual([]);
    expect(utterances).toEqual({ total: TURNS, incomplete: [] });
    expect(await readdir(fourth.folder)).not.toContainEqual(expect.stringMatching(/^running|^secrets/));
  });
});
