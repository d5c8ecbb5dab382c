/** When /metrics was read, so that a study that ends can wait until its last figures were seen. */
import type { Clock } from '../../process/clock.ts';

export interface ScrapeFigures {
  /** When /metrics was read last, milliseconds since 1970; null before the first time. */
  scrapedAtMs: number | null;
  /** How long after the time before that; null before the second time. */
  scrapeEveryMs: number | null;
}

export interface Scrapes {
  note(): void;
  figures(): ScrapeFigures;
}

export function createScrapes(clock: Pick<Clock, 'nowMs'>): Scrapes {
  let figures: ScrapeFigures = { scrapedAtMs: null, scrapeEveryMs: null };
  return {
    note: () => {
      const nowMs = clock.nowMs();
      const { scrapedAtMs } = figures;
      figures = { scrapedAtMs: nowMs, scrapeEveryMs: scrapedAtMs === null ? null : nowMs - scrapedAtMs };
    },
    figures: () => figures,
  };
}
