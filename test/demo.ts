/** The demo as a newcomer starts it: the real command, a study small enough for a test, what it prints, how it ends. */
import { spawn, type ChildProcess } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findNatsServer } from './tools.ts';

export interface Demo {
  child: ChildProcess;
  /** All that it has printed so far. */
  output(): string;
  /** Exit status, or null when a signal ended it. */
  readonly ended: Promise<number | null>;
  /** The run folder. */
  folder: string;
}

export interface SmallStudy {
  scenarios: number;
  episodes: number;
  maxTurns: number;
  maxTokens: number;
  steps?: { layers: number[] };
}

export const RUN = 'demo';

/** Another model for the tests than the one that is shipped; for work on models. */
const model = process.env['ENTRAIN_TEST_MODEL'];
export const testModel = model ?? 'models/entrain-dialogue-4m';

/** The shipped study cut down, written into a folder; the path of its file. */
export async function writeSmallStudy(folder: string, size: SmallStudy): Promise<string> {
  const demo = JSON.parse(await readFile('studies/demo.json', 'utf8')) as { scenarios: unknown[] };
  const { scenarios, ...rest } = size;
  const study = {
    ...demo,
    ...rest,
    name: 'small',
    scenarios: demo.scenarios.slice(0, scenarios),
    minTurns: size.maxTurns,
  };
  const path = join(folder, 'study.json');
  await writeFile(path, JSON.stringify(study));
  return path;
}

/** The run folder of a demo under `folder`. */
export const demoFolder = (folder: string): string => join(folder, RUN);

/** `entrain start` with runs under `folder`, on free ports. */
export function startDemo(folder: string, study: string, flags: readonly string[] = []): Demo {
  const fixed = ['--study', study, '--run', RUN, '--runs', folder, '--port', '0', '--model', testModel];
  const child = spawn(process.execPath, ['bin/entrain.js', 'start', ...fixed, ...flags], {
    env: { ...process.env, ENTRAIN_NATS_SERVER: findNatsServer() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (part: Buffer) => (text += part.toString()));
  child.stderr.on('data', (part: Buffer) => (text += part.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { child, output: () => text, ended, folder: demoFolder(folder) };
}

/** Asks again and again until there is an answer; throws with what was waited for when there is none in time. */
export async function until<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 60_000,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadlineMs) throw new Error(`not in ${timeoutMs / 1000} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
