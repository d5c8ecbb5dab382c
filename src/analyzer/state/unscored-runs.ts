/**
 * Finds runs that ended without their last scores because the analyzer was stopped. No stream will open them any
 * more, so the program looks for them at its start.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listRuns } from '../../journal/retention.ts';

/** Older runs are left alone; a run with too few rows for a score would otherwise be read at every start. */
const LOOK_BACK_MS = 24 * 3_600_000;

/** @param nowMs milliseconds since 1970 */
export async function unscoredRuns(runsFolder: string, nowMs: number): Promise<string[]> {
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
