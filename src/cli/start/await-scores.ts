/** Waits after the last turn until everything recorded is scored. */
import type { Clock } from '../../process/clock.ts';
import type { ScoreReport } from '../../protocol/report.ts';
import { clockText } from '../terminal/terminal.ts';

export interface ScoreWait {
  clock: Pick<Clock, 'monotonicMs'>;
  /** Fetches the scores; undefined while the analyzer does not answer. */
  fetch(): Promise<ScoreReport | undefined>;
  /** Called repeatedly with a note that the wait goes on. */
  note(text: string): void;
  /** The wait is given up when the scores have not changed for this time. */
  stalledMs: number;
  pollMs: number;
}

const leftText = (report: ScoreReport | undefined): string =>
  report?.waiting ? `${report.waiting} to go, ` : '';

/**
 * The coordinator says that the run is over once everything is recorded. If the analyzer did not get that
 * message, the scores stay provisional, so the wait for the mark is limited.
 */
const MARK_MS = 60_000;

/**
 * Waits as long as new scores come; after a long study that may take an hour.
 * @returns whether everything recorded is in a published score and, as a rule, marked as final; false if the
 * scores did not change for too long
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
