/**
 * Which recordings are removed when a folder of runs exceeds its budget: whole runs, in the order in which they
 * finished. A run that has not finished, or is pinned, is never removed. A run's description, transcript and
 * scores are kept; its segments are removed.
 *
 *   <run folder>/finished.json   the run is over and recorded, says the coordinator; whether all of it is sealed
 *   <run folder>/pinned          nothing of it is ever removed
 *   <run folder>/removed.json    its segments are gone, or are just going
 */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../process/write-atomic.ts';
import { STREAMS_FOLDER } from './run-recording.ts';
import { segmentNames } from './segment-format.ts';

export interface Removal {
  /** When the run was removed, milliseconds since 1970. */
  atMs: number;
  segments: number;
  bytes: number;
}

export interface KeptRun {
  run: string;
  /** Size of its segments. */
  bytes: number;
  /** Size of its scores, which are kept when the segments are removed. */
  keptBytes: number;
  finishedAtMs: number | undefined;
  /** Whether no segment was open when the run ended, nor since. */
  sealed: boolean;
  pinned: boolean;
  removed: Removal | undefined;
}

const FINISHED = 'finished.json';
const PINNED = 'pinned';
const REMOVED = 'removed.json';
const SCORES_FILE = 'scores.jsonl';

/** Each run that is looked at takes an open file; a service has more run folders than a process may open files. */
const AT_ONCE = 8;

/** Every run of the folder that has a recording. */
export async function listRuns(runsFolder: string): Promise<KeptRun[]> {
  const names = await readdir(runsFolder).catch(() => []);
  const runs: KeptRun[] = [];
  for (let at = 0; at < names.length; at += AT_ONCE) {
    const some = names.slice(at, at + AT_ONCE).map((run) => describeRun(runsFolder, run));
    runs.push(...(await Promise.all(some)).filter((run) => run !== undefined));
  }
  return runs;
}

async function describeRun(runsFolder: string, run: string): Promise<KeptRun | undefined> {
  const folder = join(runsFolder, run);
  const segments = await segmentsOf(folder);
  if (!segments) return undefined;
  const finished = await readFinished(folder);
  return {
    run,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    keptBytes: await bytesOf(join(folder, SCORES_FILE)),
    finishedAtMs: finished?.atMs,
    sealed: finished?.sealed === true,
    pinned: await exists(join(folder, PINNED)),
    removed: await removalOf(folder),
  };
}

/** When and how much retention removed of a run; undefined if it did not. */
export async function removalOf(folder: string): Promise<Removal | undefined> {
  return (await readJson(join(folder, REMOVED))) as Removal | undefined;
}

interface Finished {
  atMs: number;
  sealed?: boolean;
}

/** @param sealed whether no segment of the run is open any more */
export function markFinished(folder: string, { atMs, sealed = false }: Finished): Promise<void> {
  return writeAtomic(join(folder, FINISHED), JSON.stringify({ atMs, sealed }));
}

const readFinished = (folder: string): Promise<Finished | undefined> =>
  readJson(join(folder, FINISHED)) as Promise<Finished | undefined>;

/** Whether the coordinator has said that the run is over and recorded. */
export const isFinished = async (folder: string): Promise<boolean> =>
  (await readFinished(folder)) !== undefined;

export async function setPinned(folder: string, pinned: boolean): Promise<void> {
  if (pinned) await writeAtomic(join(folder, PINNED), '');
  else await rm(join(folder, PINNED), { force: true });
}

/** Runs to remove, oldest finish first, until the rest fits the budget. */
export function chooseRemovals(runs: readonly KeptRun[], budgetBytes: number): KeptRun[] {
  let bytes = totalBytes(runs);
  const chosen: KeptRun[] = [];
  for (const run of runs.filter(mayGo).toSorted((a, b) => a.finishedAtMs! - b.finishedAtMs!)) {
    if (bytes <= budgetBytes) break;
    bytes -= run.bytes;
    chosen.push(run);
  }
  return chosen;
}

/** Bytes of all runs that count against the budget: segments and scores. */
export const totalBytes = (runs: readonly KeptRun[]): number =>
  runs.reduce((sum, { bytes, keptBytes }) => sum + bytes + keptBytes, 0);

/** Whether retention may remove this run. */
export const mayGo = ({ finishedAtMs, pinned, bytes }: KeptRun): boolean =>
  finishedAtMs !== undefined && !pinned && bytes > 0;

/**
 * Removes a run's segments. It is noted on disk first, so a kill half-way does not leave a run that looks
 * damaged.
 */
export async function removeSegments(runsFolder: string, run: KeptRun, atMs: number): Promise<Removal> {
  const folder = join(runsFolder, run.run);
  const segments = (await segmentsOf(folder)) ?? [];
  const before = run.removed;
  const removal: Removal = {
    atMs,
    segments: (before?.segments ?? 0) + segments.length,
    bytes: (before?.bytes ?? 0) + run.bytes,
  };
  await writeAtomic(join(folder, REMOVED), JSON.stringify(removal));
  for (const { path } of segments) await rm(path, { force: true });
  return removal;
}

/** Segments of a run; undefined if nothing was ever recorded. */
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
      return { path, bytes: await bytesOf(path) };
    }),
  );
}

/** The parsed file. Undefined if there is none, or if an earlier version left a part of one on a full disk. */
async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, 'utf8').catch(() => '');
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

const bytesOf = async (path: string): Promise<number> => (await stat(path).catch(() => undefined))?.size ?? 0;

const exists = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
