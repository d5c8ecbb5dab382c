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
  limitMs: number;
  pollMs: number;
}

/** The coordinator says that the run is over once all is recorded; if the analyzer could not be told, the scores stay provisional. */
const MARK_MS = 60_000;

/** @returns whether everything recorded is in a published score, and mostly marked as final; false when the limit came first */
export async function awaitScores({ clock, fetch, note, limitMs, pollMs }: ScoreWait): Promise<boolean> {
  const startMs = clock.monotonicMs();
  let scoredMs: number | undefined;
  for (;;) {
    const report = await fetch();
    if (report?.pending === false) {
      scoredMs ??= clock.monotonicMs();
      if (!report.provisional || clock.monotonicMs() - scoredMs >= MARK_MS) return true;
    }
    const waitedMs = clock.monotonicMs() - startMs;
    if (waitedMs >= limitMs) return false;
    note(`scoring what was recorded, ${clockText(waitedMs / 1000)}`);
    await new Promise((done) => setTimeout(done, pollMs));
  }
}
