/** The talk of a run folder: whole, or refused by name. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readTalk } from '../../../../src/process/run-folder/read-talk.ts';
import { recordedRun } from '../../../fixtures/recordings/recording-fixture.ts';

async function changed(file: string, change: (text: string) => string): Promise<string> {
  const folder = await runOfTwo();
  const path = join(folder, file);
  await writeFile(path, change(await readFile(path, 'utf8')));
  return folder;
}

/** The recorded run, with its turns in the order in which they were said. */
async function runOfTwo(): Promise<string> {
  const folder = await recordedRun();
  const path = join(folder, 'transcript.jsonl');
  const turnOf = (line: string): number => (JSON.parse(line) as { turn: number }).turn;
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  const whole = lines.map((line) => JSON.stringify({ droppedTurns: 0, ...(JSON.parse(line) as object) }));
  await writeFile(path, `${whole.toSorted((a, b) => turnOf(a) - turnOf(b)).join('\n')}\n`);
  return folder;
}

describe('readTalk', () => {
  it('reads every turn of a finished episode', async () => {
    const { episodes } = await readTalk(await runOfTwo());
    expect(episodes.map(({ finish, turns }) => [finish, turns.length])).toEqual([['turns', 8]]);
  });

  it.each([
    ['its last line is torn', (text: string) => text.slice(0, -9), 7],
    ['a line is gone', (text: string) => text.split('\n').toSpliced(3, 1).join('\n'), 3],
    ['it is empty', () => '', 0],
  ])('refuses a transcript that lacks turns of a finished episode: %s', async (_, change, turn) => {
    const folder = await changed('transcript.jsonl', change);
    await expect(readTalk(folder)).rejects.toMatchObject({
      code: 'RUN_INVALID',
      message: expect.stringContaining(`Turn ${turn} of e1 is not in ${folder}/transcript.jsonl`) as string,
    });
  });

  it('reads a run.json with a byte order mark', async () => {
    const folder = await changed('run.json', (text) => `\uFEFF${text}`);
    expect((await readTalk(folder)).facts.run).toBe('run-1');
  });
});
