import { describe, expect, it } from 'vitest';
import type { ScoreReport } from '../../../../src/protocol/reports/score-report.ts';
import { awaitScores } from '../../../../src/cli/start/await-scores.ts';

const report = (pending: boolean, provisional = pending): ScoreReport => ({
  run: 'r',
  provisional,
  pending,
  framesAccepted: 0,
  framesDurable: 0,
  groups: [],
  differences: [],
  pairs: [],
  pairDifferences: [],
  distances: [],
});

/** Every look takes 40 s. */
async function waited(answers: (ScoreReport | undefined)[], stalledMs: number) {
  let nowMs = 0;
  const notes: string[] = [];
  const settled = await awaitScores({
    clock: { monotonicMs: () => nowMs },
    fetch: () => {
      nowMs += 40_000;
      return Promise.resolve(answers.length > 1 ? answers.shift() : answers[0]);
    },
    note: (text) => notes.push(text),
    stalledMs,
    pollMs: 0,
  });
  return { settled, notes };
}

describe('awaitScores', () => {
  it('waits, with notes, while scores are pending or the analyzer does not answer', async () => {
    expect(await waited([report(true), undefined, report(false)], 900_000)).toEqual({
      settled: 'final',
      notes: ['scoring what was recorded, 0:40', 'scoring what was recorded, 1:20'],
    });
  });

  it('waits for the mark of the end, and never takes scores without it for those of a whole run', async () => {
    expect(await waited([report(false, true), report(false)], 900_000)).toMatchObject({
      settled: 'final',
      notes: ['scoring what was recorded, 0:40'],
    });
    const { settled, notes } = await waited([report(false, true)], 900_000);
    expect([settled, notes.length]).toEqual(['unmarked', 5]);
  });

  it('waits as long as scores come, and says how many are left', async () => {
    // Two hours, with something new at every look.
    const answers = Array.from({ length: 180 }, (_, at) => ({ ...report(true), waiting: 180 - at }));
    const { settled, notes } = await waited([...answers, report(false)], 900_000);
    expect([settled, notes.length]).toEqual(['final', 180]);
    expect(notes[89]).toBe('scoring what was recorded, 91 to go, 60:00  about 61:20 left  ████████░░░░░░░░');
    expect(notes.at(-1)).toBe(
      `scoring what was recorded, 1 to go, 120:00  about 0:40 left  ${'█'.repeat(16)}`,
    );
  });

  it('gives up when nothing new has come for too long', async () => {
    expect(await waited([report(true)], 100_000)).toMatchObject({ settled: 'stalled' });
  });
});
