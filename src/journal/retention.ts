/**
 * Which recordings go when a folder of runs is above its budget: whole runs, the one that finished first before the others, never one
 * that has not finished and never one that is pinned. What a run was, its transcript and its scores stay; its segments go.
 *
 *   <run folder>/finished.json   the coordinator said that the run is over and recorded
 *   <run folder>/pinned          nothing of it is ever removed
 *   <run folder>/removed.json    its segments are gone, or are just going
 */
import { open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { STREAMS_FOLDER } from './recording.ts';
import { segmentNames } from './segment.ts';

export interface Removal {
  /** Milliseconds since 1970. */
  atMs: number;
  segments: number;
  bytes: number;
}

export interface KeptRun {
  run: string;
  /** Of its segments. */
  bytes: number;
  finishedAtMs: number | undefined;
  pinned: boolean;
  removed: Removal | undefined;
}

const FINISHED = 'finished.json';
const PINNED = 'pinned';
const REMOVED = 'removed.json';

/** Every run of the folder that has been recorded. */
export async function listRuns(runsFolder: string): Promise<KeptRun[]> {
  const names = await readdir(runsFolder).catch(() => []);
  const runs = await Promise.all(names.map((run) => describeRun(runsFolder, run)));
  return runs.filter((run) => run !== undefined);
}

async function describeRun(runsFolder: string, run: string): Promise<KeptRun | undefined> {
  const folder = join(runsFolder, run);
  const segments = await segmentsOf(folder);
  if (!segments) return undefined;
  const finished = (await readJson(join(folder, FINISHED))) as { atMs: number } | undefined;
  return {
    run,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    finishedAtMs: finished?.atMs,
    pinned: await exists(join(folder, PINNED)),
    removed: await removalOf(folder),
  };
}

/** When and what retention took of a run, if it did. */
export async function removalOf(folder: string): Promise<Removal | undefined> {
  return (await readJson(join(folder, REMOVED))) as Removal | undefined;
}

export function markFinished(folder: string, atMs: number): Promise<void> {
  return writeSynced(join(folder, FINISHED), JSON.stringify({ atMs }));
}

/** Whether the coordinator said that the run is over and recorded. */
export const isFinished = (folder: string): Promise<boolean> => exists(join(folder, FINISHED));

export async function setPinned(folder: string, pinned: boolean): Promise<void> {
  if (pinned) await writeSynced(join(folder, PINNED), '');
  else await rm(join(folder, PINNED), { force: true });
}

/** The rule. */
export function chooseRemovals(runs: readonly KeptRun[], budgetBytes: number): KeptRun[] {
  let bytes = runs.reduce((sum, run) => sum + run.bytes, 0);
  const chosen: KeptRun[] = [];
  for (const run of runs.filter(mayGo).toSorted((a, b) => a.finishedAtMs! - b.finishedAtMs!)) {
    if (bytes <= budgetBytes) break;
    bytes -= run.bytes;
    chosen.push(run);
  }
  return chosen;
}

/** Whether retention may ever take this run. */
export const mayGo = ({ finishedAtMs, pinned, bytes }: KeptRun): boolean =>
  finishedAtMs !== undefined && !pinned && bytes > 0;

/** Says so on disk before anything goes, so that a kill half-way leaves no run that looks damaged. */
export async function removeSegments(runsFolder: string, run: KeptRun, atMs: number): Promise<Removal> {
  const folder = join(runsFolder, run.run);
  const segments = (await segmentsOf(folder)) ?? [];
  const before = run.removed;
  const removal: Removal = {
    atMs,
    segments: (before?.segments ?? 0) + segments.length,
    bytes: (before?.bytes ?? 0) + run.bytes,
  };
  await writeSynced(join(folder, REMOVED), JSON.stringify(removal));
  for (const { path } of segments) await rm(path, { force: true });
  return removal;
}

/** Undefined where nothing was ever recorded. */
async function segmentsOf(folder: string): Promise<{ path: string; bytes: number }[] | undefined> {
  const streams = join(folder, STREAMS_FOLDER);
  const names = await readdir(streams).catch(() => undefined);
  if (!names) return undefined;
  const lists = await Promise.all(names.map((stream) => segmentsIn(join(streams, stream))));
  return lists.flat();
}

async function segmentsIn(stream: string): Promise<{ path: string; bytes: number }[]> {
  const files = segmentNames(await readdir(stream).catch(() => []));
  return Promise.all(
    files.map(async ({ file }) => {
      const path = join(stream, file);
      return { path, bytes: (await stat(path).catch(() => ({ size: 0 }))).size };
    }),
  );
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

async function writeSynced(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  const file = await open(path, 'r');
  await file.sync();
  await file.close();
}
