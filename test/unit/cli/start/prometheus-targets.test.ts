import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  PID_LABEL,
  putTargets,
  RUN_LABEL,
  type Target,
} from '../../../../src/cli/start/prometheus-targets.ts';

let runs = '';
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'entrain-targets-'));
});
afterEach(() => rm(runs, { recursive: true, force: true }));

const target = (run: string, host: string, pid = process.pid): Target => ({
  targets: [host],
  labels: { program: 'analyzer', [RUN_LABEL]: run, [PID_LABEL]: String(pid) },
});
const file = (): string => join(runs, 'targets.json');
const read = async (): Promise<unknown> => JSON.parse(await readFile(file(), 'utf8'));

it('targets.json lists the programs of all runs, and a run that ends takes its own out', async () => {
  const [one, two] = [target('one', 'a:1'), target('two', 'b:2')];
  await putTargets(join(runs, 'one'), [one]);
  await putTargets(join(runs, 'two'), [two]);
  expect(await read()).toEqual([one, two]);
  await putTargets(join(runs, 'one'), []);
  expect(await read()).toEqual([two]);
  await putTargets(join(runs, 'two'), []);
  expect(await read()).toEqual([]);
  expect((await stat(file())).mode & 0o777).toBe(0o644);
});

it('targets.json drops the programs of a killed run, and replaces a file that cannot be read', async () => {
  // No process has so large an id.
  await putTargets(join(runs, 'killed'), [target('killed', 'c:3', 2 ** 22 + 1)]);
  const own = target('next', 'd:4');
  await putTargets(join(runs, 'next'), [own]);
  expect(await read()).toEqual([own]);
  await writeFile(file(), '[{');
  await putTargets(join(runs, 'next'), [own]);
  expect(await read()).toEqual([own]);
});
