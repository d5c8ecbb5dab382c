/** Which files of a run folder are given to its submitter, and which to an operator, who may not read what was said. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { listRunFiles, readRunFilePart } from '../../../../src/coordinator/resident/run-files.ts';

const FIGURES = ['events.jsonl', 'results.json', 'run.json', 'scores.jsonl'];
const WORDS = [
  'branches.jsonl',
  'judge/a1b2.json',
  'report.html',
  'streams/ada/1-0.seg',
  'transcript.jsonl',
  'tables/turns.csv',
];
const NOBODYS = ['secrets/http.token', 'logs/ada.log', 'running.1', 'transcript.jsonl.draft'];

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-run-files-'));
  for (const path of [...FIGURES, ...WORDS, ...NOBODYS]) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), path);
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const paths = async (withDialogue: boolean): Promise<string[]> =>
  (await listRunFiles(folder, withDialogue)).map(({ path }) => path);

it('a submitter gets everything but secrets, logs and drafts', async () => {
  expect(await paths(true)).toEqual([...FIGURES, ...WORDS].toSorted());
});

it('who may not read what was said gets no file that may hold words: no report, no answer of a judge, no table, no states', async () => {
  expect(await paths(false)).toEqual(FIGURES);
  const asked = { path: 'report.html', offset: 0, withDialogue: false };
  await expect(readRunFilePart(folder, asked)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
});
