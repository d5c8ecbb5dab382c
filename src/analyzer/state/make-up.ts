/**
 * Finishes, at the start of the program, what a killed one left undone: open segments, and the last scores of runs that
 * ended. No stream will open these runs any more.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listRuns, markFinished } from '../../journal/retention.ts';
import type { Logger } from '../../process/log.ts';
import type { Recordings } from '../ingest/recordings.ts';

/** Older runs are left alone; a run with too few rows for a score would otherwise be read at every start. */
const LOOK_BACK_MS = 24 * 3_600_000;

/** @param nowMs milliseconds since 1970 */
export async function makeUpFor(
  { runsFolder, nowMs, log }: { runsFolder: string; nowMs: number; log: Logger },
  recordings: Recordings,
): Promise<void> {
  for (const { run, sealed, removed, finishedAtMs: atMs } of await listRuns(runsFolder)) {
    if (sealed || removed) continue;
    const done = recordings.seal(run).then(() => true);
    const isSealed = await done.catch((error: unknown) => {
      log.error({ err: error, run }, 'a run could not be sealed');
      return false;
    });
    if (isSealed && atMs !== undefined) await markFinished(join(runsFolder, run), { atMs, sealed: true });
  }
  for (const run of await unscoredRuns(runsFolder, nowMs)) {
    log.info({ run }, 'the run ended before its last scores were written; they are made up for');
    await recordings
      .of(run)
      .catch((error: unknown) => log.error({ err: error, run }, 'the run cannot be read'));
  }
}

async function unscoredRuns(runsFolder: string, nowMs: number): Promise<string[]> {
  const unscored: string[] = [];
  for (const { run, finishedAtMs, removed } of await listRuns(runsFolder)) {
    if (finishedAtMs === undefined || removed || nowMs - finishedAtMs > LOOK_BACK_MS) continue;
    if (!(await hasResult(join(runsFolder, run)))) unscored.push(run);
  }
  return unscored;
}

async function hasResult(folder: string): Promise<boolean> {
  const lines = await readFile(join(folder, 'scores.jsonl'), 'utf8').catch(() => '');
  return lines.includes('"provisional":false');
}
