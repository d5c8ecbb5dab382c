/** `entrain serve` on one machine: a study is submitted without a variable set, and survives a kill of all programs. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunView } from '../../src/protocol/service-messages.ts';
import { verifyRun } from '../../src/recordings/verify-run.ts';
import { testModel, until, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { readTranscript } from '../fixtures/programs/fleet.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

const SPOKEN = 2 * 20;

let folder: string;
let study: string;
let runs: string;
let serve: ChildProcess;
let said = '';

function startServe(): void {
  const agents = ['--agent', 'ada', '--agent', 'ben', '--model', testModel];
  const ports = ['--port', '0', '--view-port', '0'];
  serve = spawn(process.execPath, ['bin/entrain.js', 'serve', '--runs', runs, ...agents, ...ports], {
    env: { ...process.env, ENTRAIN_NATS_SERVER: findNatsServer() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const output of [serve.stdout, serve.stderr])
    output?.on('data', (part: Buffer) => (said += part.toString()));
}

/** A command as in another terminal of the same folder. */
async function entrain(...argv: string[]): Promise<string> {
  const { NATS_URL: _, ...env } = process.env;
  const child = spawn(process.execPath, ['bin/entrain.js', ...argv, '--runs', runs, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  child.stdout.on('data', (part: Buffer) => (out += part.toString()));
  child.stderr.on('data', (part: Buffer) => (err += part.toString()));
  const [status] = (await once(child, 'close')) as [number];
  if (status !== 0) throw new Error(`${err}\n${said}`);
  return out;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-serve-'));
  runs = join(folder, 'runs');
  study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 20, maxTokens: 6 });
});
afterAll(async () => {
  serve.kill('SIGTERM');
  if (serve.exitCode === null) await once(serve, 'exit');
  await rm(folder, { recursive: true, force: true });
});

it('runs a submitted study, and goes on with it after kill -9 of the whole service', async () => {
  startServe();
  await until('the service', () => said.includes('hand it a study') || undefined, 120_000);
  const submitted = JSON.parse(await entrain('submit', study, '--name', 'served')) as RunView;
  expect(submitted).toMatchObject({ run: 'served', submitter: 'operator' });
  const spoken = async (): Promise<number> => (await readTranscript(runs, 'served')).length;
  await until('some turns', async () => (await spoken()) >= 4 || undefined, 120_000);

  serve.kill('SIGKILL');
  await once(serve, 'exit');
  startServe();
  await until(
    'its end',
    async () => {
      const listed = JSON.parse(await entrain('runs').catch(() => '{"runs":[]}')) as { runs: RunView[] };
      const view = listed.runs.find(({ run }) => run === 'served');
      if (view?.state === 'failed') throw new Error(view.reason);
      return view?.state === 'finished' || undefined;
    },
    200_000,
  );
  const { faults, lacking, utterances } = await verifyRun(join(runs, 'served'));
  expect({ faults, lacking, utterances }).toEqual({
    faults: [],
    lacking: [],
    utterances: { total: SPOKEN, incomplete: [] },
  });
}, 400_000);
