/** Everything that is started can be stopped: Ctrl-C, and even a killed supervisor, leave no process behind. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RUN, startDemo, until, writeSmallStudy, type Demo } from '../fixtures/programs/demo.ts';
import { aliveOf, descendantsOf, processesWith } from '../fixtures/programs/processes.ts';

const CTRL_C_MS = 10_000;
const KILLED_MS = 15_000;
/** nats-server under its guard, analyzer, coordinator and two agents. */
const PROCESSES = 6;

let folder: string;
let demo: Demo;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-shutdown-'));
  const study = await writeSmallStudy(folder, { scenarios: 4, episodes: 50, maxTurns: 12, maxTokens: 16 });
  demo = startDemo(folder, study);
});
afterEach(async () => {
  demo.child.kill('SIGTERM');
  await demo.ended;
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
});

describe('the end of the demo', () => {
  it('comes within 10 s of Ctrl-C and stops every process', async () => {
    const children = await inFullSwing();
    const secrets = await secretsNow();
    const askedMs = performance.now();
    demo.child.kill('SIGINT');
    const status = await demo.ended;
    expect(performance.now() - askedMs).toBeLessThan(CTRL_C_MS);
    expect(status, demo.output()).toBe(0);
    expect(aliveOf(children)).toEqual([]);
    expect(processesWith(folder)).toEqual([]);
    // An agent whose model was told to end has no fault to report.
    for (const log of await logsOf('agent-ada', 'agent-ben')) expect(log).not.toMatch(/"level":[56]0/);
    await expectUnlogged([...secrets, ...(await textsSpoken())]);
    expect(demo.output()).toMatch(
      /stopped at \d+ of 400 episodes; recorded in .*demo; .* --run demo goes on/,
    );
  });

  it('says how to continue, also if the run has only just begun', async () => {
    await printed(/^coordinator /m);
    demo.child.kill('SIGINT');
    expect(await demo.ended, demo.output()).toBe(0);
    expect(demo.output()).toMatch(/stopped (before the first|at 0 of 400) episodes?; .* --run demo goes on/);
  });

  it('is the same for the two signals that one Ctrl-C causes under npm', async () => {
    const children = await inFullSwing();
    demo.child.kill('SIGINT');
    demo.child.kill('SIGINT');
    expect(await demo.ended, demo.output()).toBe(0);
    expect(aliveOf(children)).toEqual([]);
  });

  it('comes within 15 s of kill -9 of the supervisor, without any help from it', async () => {
    const children = await inFullSwing();
    const targets = (): Promise<string> => readFile(join(folder, 'targets.json'), 'utf8').catch(() => '');
    await until('the targets', async () => (await targets()).includes('"coordinator"') || undefined, 20_000);
    demo.child.kill('SIGKILL');
    await demo.ended;
    await until('no process is left', () => aliveOf(children).length === 0 || undefined, KILLED_MS);
    expect(processesWith(folder)).toEqual([]);
    // Prometheus looks for none of them any more.
    expect(await targets()).toBe('[]\n');
  });

  it('comes with a clear sentence and an exit status when an agent is killed, and keeps what was recorded', async () => {
    const children = await inFullSwing();
    const agent = processesWith('agent --id ada').find(({ pid }) => children.includes(pid));
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    expect(await demo.ended).not.toBe(0);
    expect(demo.output()).toMatch(/entrain: .*agent-ada.*SIGKILL.*kept in/);
    expect(aliveOf(children)).toEqual([]);
  });
});

const logsOf = (...programs: string[]): Promise<string[]> =>
  Promise.all(programs.map((name) => readFile(join(folder, RUN, 'logs', `${name}.log`), 'utf8')));

/** Passwords and private keys, which are removed at the end. */
async function secretsNow(): Promise<string[]> {
  const place = join(folder, RUN, 'secrets');
  const names = (await readdir(place)).filter((name) => /password$|private\.pem$/.test(name));
  const texts = await Promise.all(names.map((name) => readFile(join(place, name), 'utf8')));
  return texts.map((text) => text.replaceAll(/-----.*-----/g, '').trim());
}

async function textsSpoken(): Promise<string[]> {
  const lines = (await readFile(join(folder, RUN, 'transcript.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as { text: string }).text);
}

/** What was said, and secrets, must not be in any program's log. */
async function expectUnlogged(texts: string[]): Promise<void> {
  const long = texts.filter((text) => text.length >= 8);
  expect(long.length).toBeGreaterThan(5);
  const logs = await logsOf('analyzer', 'agent-ada', 'agent-ben', 'coordinator', 'nats-server');
  for (const log of logs) for (const text of long) expect(log).not.toContain(text);
}

/** Settles as soon as the demo has printed it. */
const printed = (what: RegExp): Promise<void> =>
  new Promise((resolve) => {
    demo.child.stdout?.on('data', () => {
      if (what.test(demo.output())) resolve();
    });
  });

/** Waits until the agents talk; gives the process ids of all that was started. */
async function inFullSwing(): Promise<number[]> {
  const spoken = until('the first words', () => /^\s*ben[: ]/m.test(demo.output()) || undefined, 90_000);
  const early = demo.ended.then((status) => {
    throw new Error(`the demo ended early with status ${status}: ${demo.output()}`);
  });
  await Promise.race([spoken, early]);
  const children = descendantsOf(demo.child.pid ?? 0);
  expect(children.length).toBeGreaterThanOrEqual(PROCESSES);
  return children;
}
