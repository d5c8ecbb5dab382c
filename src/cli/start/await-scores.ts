/** The wait between the last turn and the last figures: what was recorded is still being scored. */
import type { Clock } from '../../process/clock.ts';
import type { ScoreReport } from '../../protocol/report.ts';
import { clockText } from '../terminal/terminal.ts';

export interface ScoreWait {
  clock: Pick<Clock, 'monotonicMs'>;
  /** The scores now; undefined while the analyzer does not answer. */
  fetch(): Promise<ScoreReport | undefined>;
  /** Told again and again that the wait goes on. */
  note(text: string): void;
  /** For so long nothing may change in the scores before the wait is given up. */
  stalledMs: number;
  pollMs: number;
}

const leftText = (report: ScoreReport | undefined): string =>
  report?.waiting ? `${report.waiting} to go, ` : '';

/**
 * The coordinator says that the run is over once all is recorded; if the analyzer could not be told, the scores stay
 * provisional.
 */
const MARK_MS = 60_000;

/**
 * The wait goes on for as long as scores come: what a long study leaves to do at its end may take an hour.
 *
 * @returns whether everything recorded is in a published score, and mostly marked as final; false when nothing has
 * changed for too long
 */
export async function awaitScores({ clock, fetch, note, stalledMs, pollMs }: ScoreWait): Promise<boolean> {
  const startMs = clock.monotonicMs();
  let scoredMs: number | undefined;
  let last = { text: '', atMs: startMs };
  for (;;) {
    const report = await fetch();
    const text = JSON.stringify(report) ?? '';
    if (text !== last.text) last = { text, atMs: clock.monotonicMs() };
    if (report?.pending === false) {
      scoredMs ??= clock.monotonicMs();
      if (!report.provisional || clock.monotonicMs() - scoredMs >= MARK_MS) return true;
    }
    if (clock.monotonicMs() - last.atMs >= stalledMs) return false;
    const waitedText = clockText((clock.monotonicMs() - startMs) / 1000);
    note(`scoring what was recorded, ${leftText(report)}${waitedText}`);
    await new Promise((done) => setTimeout(done, pollMs));
  }
}
