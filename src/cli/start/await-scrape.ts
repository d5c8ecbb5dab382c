/**
 * The wait of `--once` for one more reading of /metrics, where somebody reads them: else the last figures are seen by
 * nobody.
 */
import type { StateReport } from '../../protocol/reports/state-report.ts';

export interface ScrapeWait {
  /** The analyzer's state; undefined when it does not answer. */
  fetch(): Promise<Pick<StateReport, 'nowMs' | 'scrapedAtMs' | 'scrapeEveryMs'> | undefined>;
  pollMs: number;
}

/** The period of a scraper that was seen only once. */
const USUAL_MS = 15_000;
/** The longest period that is waited for. */
const LONGEST_MS = 60_000;
const GRACE_MS = 1000;

/** Settles when /metrics was read again, when a reading is overdue, or at once where nobody reads them. */
export async function awaitScrape({ fetch, pollMs }: ScrapeWait): Promise<void> {
  const first = await fetch();
  if (first === undefined || first.scrapedAtMs === null) return;
  const everyMs = Math.min(first.scrapeEveryMs ?? USUAL_MS, LONGEST_MS);
  const dueMs = Math.max(first.scrapedAtMs, first.nowMs) + everyMs + GRACE_MS;
  if (first.nowMs - first.scrapedAtMs > everyMs + GRACE_MS) return;
  for (;;) {
    await new Promise((done) => setTimeout(done, pollMs));
    const state = await fetch();
    if (state === undefined || (state.scrapedAtMs ?? 0) > first.nowMs || state.nowMs > dueMs) return;
  }
}
