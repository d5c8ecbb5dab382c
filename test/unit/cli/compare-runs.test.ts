/** What `entrain rerun` says of two runs. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { compareRuns } from '../../../src/cli/start/compare-runs.ts';
import { run } from '../../../src/cli/start/rerun.ts';
import { makeTalkFolder } from '../../fixtures/recordings/talk-folder.ts';

const folders: string[] = [];
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function runFolder(texts: string[], excess?: number): Promise<string> {
  const folder = await makeTalkFolder({
    scenarios: [{ id: 's', text: '', people: [{}, {}] }],
    episodes: [{ id: 'e1', scenario: 's', texts }],
  });
  folders.push(folder);
  const line = { type: 'score', group: 'g', condition: 'live', direction: 'first_to_second', samples: 130 };
  const lines = [
    { ...line, strict: null },
    { ...line, strict: { score: 0.1, excess, pValue: 0.005 } },
  ];
  if (excess !== undefined)
    await writeFile(join(folder, 'scores.jsonl'), lines.map((one) => `${JSON.stringify(one)}\n`).join(''));
  return folder;
}

describe('two runs', () => {
  it('are equal where words are the same and scores differ by rounding alone', async () => {
    const [one, other] = [await runFolder(['a', 'b'], 0.2), await runFolder(['a', 'b'], 0.2 + 1e-12)];
    expect(await compareRuns(one, other)).toEqual({ turns: 2, scores: 1, differences: [] });
  });

  it('differ by a word, by a turn that is missing, and by a score, with the place and both values', async () => {
    const one = await runFolder(['a', 'b', 'c'], 0.2);
    expect((await compareRuns(one, await runFolder(['a', 'x', 'c'], 0.2))).differences).toEqual([
      '1 turns differ, first turn 1 of e1: ["ben","b","stop"] and ["ben","x","stop"]',
    ]);
    expect((await compareRuns(one, await runFolder(['a', 'b'], 0.2))).differences).toEqual([
      '1 turns differ, first turn 2 of e1: ["ada","c","stop"] and nothing',
    ]);
    expect((await compareRuns(one, await runFolder(['a', 'b', 'c'], 0.3))).differences).toEqual([
      '1 scores differ, first live, first_to_second: strict.excess is 0.2 and 0.3',
    ]);
    expect((await compareRuns(one, await runFolder(['a', 'b', 'c']))).differences).toHaveLength(1);
  });

  it('differ by a model of the same name', async () => {
    const [one, other] = [await runFolder(['a']), await runFolder(['a'])];
    const text = await readFile(join(other, 'run.json'), 'utf8');
    await writeFile(join(other, 'run.json'), text.replace('a'.repeat(64), 'b'.repeat(64)));
    expect((await compareRuns(one, other)).differences).toEqual([
      'ada has another model: tiny (aaaaaaaaaaaa) and tiny (bbbbbbbbbbbb)',
    ]);
  });
});

describe('entrain rerun', () => {
  it.each([
    [[], 'RUN is missing'],
    [['--once'], 'RUN is missing'],
    [['r', '--seed', '2'], '--seed is the run’s own'],
    [['r', '--study=x'], '--study=x is the run’s own'],
    [['no-such-run'], 'There is no run "no-such-run"'],
  ])('refuses %j before it starts anything', async (argv, said) => {
    const error = await run(argv).catch((fault: unknown) => fault as Error);
    expect((error as Error).message.replace("'", '’')).toContain(said);
  });
});
