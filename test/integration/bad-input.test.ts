/** Bad input from a user gives one sentence and a non-zero exit status, and leaves nothing half-written. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { testModel } from '../fixtures/programs/demo.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

interface Answer {
  status: number | null;
  stderr: string;
}

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-bad-input-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

function entrain(argv: string[], environment: Record<string, string> = {}): Promise<Answer> {
  const { NATS_URL: _, ...inherited } = process.env;
  const env = { ...inherited, ENTRAIN_NATS_SERVER: findNatsServer(), ...environment };
  const child = spawn(process.execPath, ['bin/entrain.js', ...argv], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (part: Buffer) => (stderr += part.toString()));
  return new Promise((resolve) => child.once('close', (status) => resolve({ status, stderr })));
}

async function study(change: (demo: Record<string, unknown>) => unknown): Promise<string> {
  const file = join(folder, `study-${Math.random().toString(36).slice(2)}.json`);
  const changed = change(JSON.parse(await readFile('studies/demo.json', 'utf8')) as Record<string, unknown>);
  await writeFile(file, typeof changed === 'string' ? changed : JSON.stringify(changed));
  return file;
}

/** One line that begins with the program's name, and no stack trace. */
function expectSentence(answer: Answer, says: RegExp): void {
  expect(answer.status).toBeGreaterThan(0);
  expect(answer.stderr.trim().split('\n')).toHaveLength(1);
  expect(answer.stderr).toMatch(/^entrain: /);
  expect(answer.stderr).toMatch(says);
}

describe('the error for bad input', () => {
  const runs = (): string => join(folder, 'runs');

  it.each([
    ['an unknown command', ['dance'], /no command "dance".*expected one of start, .*agent, /],
    ['an unknown flag', ['start', '--lound'], /--lound/],
    ['a flag that is no number', ['start', '--port', 'many'], /--port is "many": expected a whole number/],
    ['a port that there is not', ['start', '--port', '99999'], /--port is "99999": expected .* 0 to 65535/],
    ['no threads at all', ['start', '--threads', '0'], /--threads is "0": expected .* 1 to /],
    [
      'a provider that there is not',
      ['start', '--provider', 'quantum'],
      /--provider is "quantum": expected one of cpu/,
    ],
    ['an agent without an id', ['agent', '--model', 'x'], /--id is missing/],
    [
      'an agent without a model folder',
      ['agent', '--id', 'a', '--model', 'nowhere'],
      /There is no .*nowhere/,
    ],
    [
      'a provider there is none of',
      ['agent', '--id', 'a', '--model', 'x', '--provider', 'tpu'],
      /expected one of cpu, webgpu/,
    ],
    [
      'a device of the cpu',
      ['agent', '--id', 'a', '--model', 'x', '--device', '1'],
      /--device is "1": expected only with cuda or dml, for cpu cannot/,
    ],
    [
      'a device of webgpu',
      ['agent', '--id', 'a', '--model', 'x', '--provider', 'webgpu', '--device', '0'],
      /--device is "0": expected only with cuda or dml, for webgpu cannot/,
    ],
    [
      'a device that is no number',
      ['agent', '--id', 'a', '--model', 'x', '--provider', 'cuda', '--device', 'first'],
      /--device is "first": expected a whole number/,
    ],
    [
      'threads that are no number',
      ['agent', '--id', 'a', '--model', 'x', '--threads', '2.5'],
      /--threads is "2.5"/,
    ],
    ['help about an unknown command', ['help', 'dance'], /no command "dance"/],
    ['a coordinator without a study', ['coordinator', '--run', 'r'], /--study is missing/],
    ['a run that cannot be a name', ['start', '--run', '../up'], /--run is "\.\.\/up"/],
    ['a study that is not there', ['start', '--study', 'nowhere.json'], /nowhere\.json cannot be read/],
    ['a model that is not there', ['start', '--model', 'nowhere'], /no model in .*nowhere.*--model DIR/],
    [
      'a model for an agent the study does not name',
      ['start', '--model', 'zoe=x'],
      /agent "zoe": expected one of ada, ben/,
    ],
  ])('names %s', async (_, argv, says) => {
    const flags = argv[0] === 'start' ? ['--runs', runs()] : [];
    expectSentence(await entrain([...argv, ...flags], { NATS_URL: 'nats://127.0.0.1:1' }), says);
    expect(existsSync(runs())).toBe(false);
  });

  it.each<[string, (demo: Record<string, unknown>) => unknown, RegExp]>([
    ['is not JSON', () => '{ "name": ', /is not JSON/],
    ['has an unknown field', (demo) => ({ ...demo, colour: 'red' }), /colour/],
    ['has a wrong type', (demo) => ({ ...demo, episodes: 'many' }), /at episodes/],
    [
      'pairs an agent with itself',
      (demo) => ({ ...demo, pairs: [['ada', 'ada']] }),
      /pairs agent "ada" with itself/,
    ],
    [
      'wants more turns than it allows',
      (demo) => ({ ...demo, maxTurns: 4, minTurns: 6 }),
      /at minTurns: expected at most maxTurns/,
    ],
    ['has no scenarios', (demo) => ({ ...demo, scenarios: [] }), /at scenarios/],
    [
      'has a scenario twice',
      (demo) => ({
        ...demo,
        scenarios: [...(demo['scenarios'] as unknown[]), (demo['scenarios'] as unknown[])[0]],
      }),
      /twice in scenarios/,
    ],
  ])('names the field of a study that %s', async (_, change, says) => {
    expectSentence(await entrain(['start', '--study', await study(change), '--runs', runs()]), says);
    expect(existsSync(runs())).toBe(false);
  });

  it('names a port in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    const port = typeof address === 'object' && address ? String(address.port) : '';
    const argv = ['start', '--once', '--port', port, '--runs', runs(), '--model', testModel];
    expectSentence(await entrain(argv), new RegExp(`${port}.*--port|--port.*${port}|${port}.*in use`));
    expect(existsSync(runs())).toBe(false);
    await new Promise((resolve) => taken.close(resolve));
  });

  it('names a study whose recording would not fit on the disk', async () => {
    const file = await study((demo) => ({ ...demo, episodes: 4000, steps: { layers: null, every: 1 } }));
    const argv = ['start', '--once', '--study', file, '--runs', join(folder, 'large'), '--model', testModel];
    expectSentence(
      await entrain([...argv, '--port', '0']),
      /study demo may take .* GB .*--max-run-gb.*--any-size/,
    );
  });

  it('names a prompt that is longer than the context of its model, before anybody speaks', async () => {
    const file = await study((demo) => {
      const [first, second] = demo['scenarios'] as { text: string }[];
      return { ...demo, scenarios: [first, { ...second, text: 'They met. '.repeat(390) }], maxTokens: 180 };
    });
    const place = join(folder, 'context');
    const argv = ['start', '--once', '--study', file, '--run', 'r', '--runs', place, '--model', testModel];
    expectSentence(
      await entrain([...argv, '--port', '0']),
      /prompt of agent "ada" in scenario ".*" takes \d+ tokens, .* model .* has \d+: shorten/,
    );
    expect(await readFile(join(place, 'r', 'transcript.jsonl'), 'utf8').catch(() => '')).toBe('');
  });

  it('names a nats-server binary that does not exist', async () => {
    const argv = ['start', '--once', '--runs', join(folder, 'without'), '--model', testModel, '--port', '0'];
    const answer = await entrain(argv, { ENTRAIN_NATS_SERVER: '/nowhere/nats-server' });
    expectSentence(answer, /no \/nowhere\/nats-server to run.*NATS_URL/);
  });

  it('names a NATS server that cannot be reached', async () => {
    const argv = ['start', '--once', '--runs', join(folder, 'far'), '--model', testModel, '--port', '0'];
    expectSentence(
      await entrain(argv, { NATS_URL: 'nats://127.0.0.1:1' }),
      /NATS at nats:\/\/127\.0\.0\.1:1 .*NATS_URL/,
    );
  });
});
