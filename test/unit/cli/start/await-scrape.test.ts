import { describe, expect, it } from 'vitest';
import { awaitScrape } from '../../../../src/cli/start/await-scrape.ts';

/**
 * A clock that goes on by 100 ms at each question, and a scraper that came `agoMs` before it and comes again at
 * `nextMs`.
 */
function asked(of: { agoMs: number | null; everyMs?: number | null; nextMs?: number }) {
  const startMs = 1_000_000;
  let nowMs = startMs;
  let questions = 0;
  const fetch = async () => {
    questions += 1;
    nowMs += 100;
    const cameAgain = of.nextMs !== undefined && nowMs >= startMs + of.nextMs;
    const before = of.agoMs === null ? null : startMs - of.agoMs;
    return { nowMs, scrapedAtMs: cameAgain ? nowMs : before, scrapeEveryMs: of.everyMs ?? null };
  };
  return { fetch, waitedMs: () => nowMs - startMs, questions: () => questions };
}

describe('the end of a study with --once', () => {
  it.each([
    ['nobody reads the metrics', { agoMs: null }, 100],
    ['who read them has long been gone', { agoMs: 60_000, everyMs: 1000 }, 100],
    ['they are read every second', { agoMs: 300, everyMs: 1000, nextMs: 700 }, 700],
    ['they are read every 15 s', { agoMs: 100, everyMs: 15_000, nextMs: 14_900 }, 14_900],
    ['they were read once alone', { agoMs: 5000, nextMs: 10_000 }, 10_000],
    ['a reading is overdue', { agoMs: 300, everyMs: 1000 }, 2200],
  ])('waits for the next reading and no longer where %s', async (_, of, expectedMs) => {
    const { fetch, waitedMs } = asked(of);
    await awaitScrape({ fetch, pollMs: 0 });
    expect(waitedMs()).toBe(expectedMs);
  });

  it('does not wait for an analyzer that is gone', async () => {
    await awaitScrape({ fetch: async () => undefined, pollMs: 0 });
  });
});
