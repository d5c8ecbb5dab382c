/**
 * The real command of a newcomer, `npm start -- --once`, under another home: afterwards there is no file but in the run
 * folder, and in what set-up keeps in the project's own folder.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RUN, testModel, writeSmallStudy } from '../fixtures/programs/demo.ts';
import { findNatsServer } from '../fixtures/programs/tools.ts';

/** Folders of the project that git ignores: packages, what is compiled, what is downloaded, runs. */
const KEPT = new Set(['node_modules', 'dist', '.cache', 'runs', '.git']);

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-home-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

it('npm start -- --once leaves no file outside run folder, cache and node_modules', async () => {
  const [home, temporary, runs] = ['home', 'tmp', 'runs'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const place of [home, temporary]) await mkdir(place);
  const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 4, maxTokens: 4 });
  const before = await filesIn('.');
  const flags = [
    '--once',
    '--study',
    study,
    '--run',
    RUN,
    '--runs',
    runs,
    '--model',
    testModel,
    '--port',
    '0',
  ];
  const { status, output } = await npm(['start', '--', ...flags, '--view-port', '0'], { home, temporary });
  expect(status, output).toBe(0);
  expect(await filesIn(home)).toEqual([]);
  expect(await filesIn(temporary)).toEqual([]);
  expect((await filesIn(folder)).filter((file) => !file.startsWith('runs/'))).toEqual(['study.json']);
  expect(await filesIn(join(runs, RUN))).toContain('transcript.jsonl');
  expect(await filesIn('.')).toEqual(before);
}, 240_000);

async function npm(
  argv: string[],
  { home, temporary }: { home: string; temporary: string },
): Promise<{ status: number | null; output: string }> {
  const { PATH } = process.env;
  const env = { PATH, HOME: home, TMPDIR: temporary, ENTRAIN_NATS_SERVER: findNatsServer() };
  const child = spawn('npm', argv, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part: Buffer) => (output += part.toString()));
  const status = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { status, output };
}

/** Paths of all files in a folder, but for those that set-up keeps. */
async function filesIn(place: string): Promise<string[]> {
  const entries = await readdir(place, { withFileTypes: true });
  const found = entries
    .filter(({ name }) => !KEPT.has(name) || place !== '.')
    .map(async (entry): Promise<string[]> => {
      if (!entry.isDirectory()) return [entry.name];
      return (await filesIn(join(place, entry.name))).map((file) => join(entry.name, file));
    });
  return (await Promise.all(found)).flat().toSorted();
}
