import { describe, expect, it } from 'vitest';
import { chooseRemovals, type KeptRun } from '../../../src/journal/retention.ts';

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
