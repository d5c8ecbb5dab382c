import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { lifeOf, type ProcessLife } from '../../../../src/process/run-folder/process-life.ts';
import { dropEndedTargets, putTargets } from '../../../../src/process/run-folder/targets-file.ts';

let runs = '';
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'entrain-targets-'));
});
afterEach(() => rm(runs, { recursive: true, force: true }));

const put = (run: string, host?: string, owner?: ProcessLife): Promise<void> =>
  putTargets(join(runs, run), host === undefined ? [] : [{ host, program: 'analyzer' }], owner);
const file = (): string => join(runs, 'targets.json');
const entries = async (): Promise<unknown> => JSON.parse(await readFile(file(), 'utf8'));
/** The addresses in the file. */
const hosts = async (): Promise<string[]> =>
  ((await entries()) as { targets: string[] }[]).flatMap(({ targets }) => targets);

/** A process that has ended. */
async function endedLife(): Promise<ProcessLife> {
  const child = spawn('sleep', ['60']);
  const life = await lifeOf(child.pid ?? 0);
  child.kill('SIGKILL');
  await once(child, 'close');
  return life;
}

it('targets.json lists the programs of all runs, and a run that ends takes its own out', async () => {
  await put('one', 'a:1');
  await put('two', 'b:2');
  expect(await hosts()).toEqual(['a:1', 'b:2']);
  expect(await entries()).toMatchObject([{ labels: { program: 'analyzer', __entrain_run: 'one' } }, {}]);
  await put('one');
  expect(await hosts()).toEqual(['b:2']);
  await put('two');
  expect(await hosts()).toEqual([]);
  expect((await stat(file())).mode & 0o777).toBe(0o644);
});

it('targets.json loses the programs of a killed run at the next start of any run', async () => {
  await put('killed', 'c:3', await endedLife());
  await put('next', 'd:4');
  expect(await hosts()).toEqual(['d:4']);
});

it('dropEndedTargets removes the programs of killed runs and no others', async () => {
  await put('lives', 'a:1');
  await put('killed', 'c:3', await endedLife());
  expect(await hosts()).toEqual(['a:1', 'c:3']);
  await dropEndedTargets(runs);
  expect(await hosts()).toEqual(['a:1']);
});

it('targets.json loses a killed run also where another process has its process id now', async () => {
  await put('killed', 'c:3', { ...(await lifeOf(process.pid)), started: '1' });
  await put('next', 'd:4');
  expect(await hosts()).toEqual(['d:4']);
});

it('targets.json keeps a run of another machine as long as that run is claimed', async () => {
  const elsewhere = { pid: 7, host: 'lab-2', place: 'lab-2', started: '1' };
  const claim = join(runs, 'far', 'running.1');
  await mkdir(join(runs, 'far'));
  await writeFile(claim, '{}');
  await put('far', 'e:5', elsewhere);
  await dropEndedTargets(runs);
  expect(await hosts()).toEqual(['e:5']);
  await utimes(claim, new Date(0), new Date(0));
  await dropEndedTargets(runs);
  expect(await hosts()).toEqual([]);
});

it.each(['[{', '{}', 'null', '[{"targets":["x:1"]}, 7, null]', ''])(
  'targets.json that holds %s is written anew',
  async (text) => {
    await writeFile(file(), text);
    await put('next', 'd:4');
    expect(await hosts()).toEqual(['d:4']);
  },
);
