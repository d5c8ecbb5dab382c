/** Waits after the last turn until everything recorded is scored. */
import type { Clock } from '../../process/clock.ts';
import type { ScoreReport } from '../../protocol/reports/score-report.ts';
import { barText, clockText, leftText } from '../terminal/progress-bar.ts';

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

/** @param most the largest number that waited: what of it is done says how long the rest may take */
function noteText(report: ScoreReport | undefined, most: number, elapsedMs: number): string {
  const waiting = report?.waiting ?? 0;
  const togo = waiting > 0 ? `${waiting} to go, ` : '';
  const text = `scoring what was recorded, ${togo}${clockText(elapsedMs / 1000)}`;
  if (most === 0 || waiting === most) return text;
  const done = (most - waiting) / most;
  return `${text}${leftText({ done, elapsedMs })}  ${barText(done, BAR_ROOM)}`;
}

const BAR_ROOM = 16;

/**
 * The coordinator says that the run is over once everything is recorded; until then the scores stay provisional. Longer
 * than the coordinator waits for the last frames, so that its reason is the one that is shown.
 */
const MARK_MS = 180_000;

/**
 * `final`: everything recorded is in a published score, and everything said is recorded. `unmarked`: everything
 * recorded is in a score, and nobody said that it is everything. `stalled`: the scores did not change for too long.
 */
export type ScoresEnd = 'final' | 'unmarked' | 'stalled';

/** Waits as long as new scores come; after a long study that may take an hour. */
export async function awaitScores({ clock, fetch, note, stalledMs, pollMs }: ScoreWait): Promise<ScoresEnd> {
  const startMs = clock.monotonicMs();
  let scoredMs: number | undefined;
  let most = 0;
  let last = { text: '', atMs: startMs };
  for (;;) {
    const report = await fetch();
    const text = JSON.stringify(report) ?? '';
    if (text !== last.text) last = { text, atMs: clock.monotonicMs() };
    if (report?.pending === false) {
      scoredMs ??= clock.monotonicMs();
      if (!report.provisional) return 'final';
      if (clock.monotonicMs() - scoredMs >= MARK_MS) return 'unmarked';
    }
    if (clock.monotonicMs() - last.atMs >= stalledMs) return 'stalled';
    most = Math.max(most, report?.waiting ?? 0);
    note(noteText(report, most, clock.monotonicMs() - startMs));
    await new Promise((done) => setTimeout(done, pollMs));
  }
}
