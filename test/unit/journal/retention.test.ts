import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseRemovals, listRuns, type KeptRun } from '../../../src/journal/retention.ts';
import { temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

const kept = (run: string, finishedAtMs: number | undefined, pinned = false): KeptRun => ({
  run,
  bytes: 10,
  keptBytes: 0,
  sealed: true,
  finishedAtMs,
  pinned,
  removed: undefined,
});
const RUNS = [
  kept('third', 30),
  kept('running', undefined),
  kept('first', 10),
  kept('pinned', 5, true),
  kept('second', 20),
];

describe('the choice of recordings to remove', () => {
  it.each([
    [50, []],
    [49, ['first']],
    [40, ['first']],
    [39, ['first', 'second']],
    [25, ['first', 'second', 'third']],
    [0, ['first', 'second', 'third']],
  ])('takes the oldest runs of 50 bytes until the rest fits a budget of %i bytes', (budget, gone) => {
    expect(chooseRemovals(RUNS, budget).map(({ run }) => run)).toEqual(gone);
  });

  it('takes no run that was removed already', () => {
    expect(chooseRemovals([{ ...kept('gone', 1), bytes: 0 }, kept('next', 2)], 5)).toMatchObject([
      { run: 'next' },
    ]);
  });
});

it('lists many runs with few files open at a time', async () => {
  const folder = await temporaryFolder();
  for (let run = 0; run < 120; run += 1) {
    await mkdir(join(folder, `r${run}`, 'streams', 'ada'), { recursive: true });
    await writeFile(join(folder, `r${run}`, 'finished.json'), JSON.stringify({ atMs: run, sealed: true }));
  }
  const openFiles = (): number => readdirSync('/proc/self/fd').length;
  const before = openFiles();
  const seen = { most: 0, isOver: false };
  const watching = (async () => {
    while (!seen.isOver) {
      seen.most = Math.max(seen.most, openFiles());
      await new Promise((next) => setImmediate(next));
    }
  })();
  const runs = await listRuns(folder);
  seen.isOver = true;
  await watching;
  expect(runs.filter(({ sealed }) => sealed)).toHaveLength(120);
  expect(seen.most - before).toBeLessThan(40);
});
