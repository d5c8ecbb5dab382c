/**
 * The coordinator's part of the run folder. `run.json` says what was run; `events.jsonl` and `transcript.jsonl` are
 * projections of the run's stream, written anew from its beginning whenever the coordinator starts: as drafts until the whole
 * stream has been read, so that what an earlier life wrote is not lost to one that cannot go on.
 */
import { mkdir, open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { writeWhole } from '../process/write-whole.ts';
import type { RunEvent, RunFacts, Utterance } from '../protocol/control.ts';

export interface RunFolder {
  path: string;
  /** `seq`: the place of the message in the run's stream. */
  event(event: RunEvent, seq: number): void;
  utterance(utterance: Utterance, seq: number): void;
  /** Puts the drafts into their places. */
  keep(): Promise<void>;
  /** Everything is on disk when this settles. */
  close(): Promise<void>;
}

const EVENTS = 'events.jsonl';
const TRANSCRIPT = 'transcript.jsonl';
/** They hold what was said, and what each was told to hide. */
const OWNER_ONLY = 0o600;

export async function openRunFolder(runs: string, run: string): Promise<RunFolder> {
  const path = join(runs, run);
  await mkdir(path, { recursive: true });
  const events = await open(draftOf(path, EVENTS), 'w', OWNER_ONLY);
  const transcript = await open(draftOf(path, TRANSCRIPT), 'w', OWNER_ONLY);
  let last: Promise<unknown> = Promise.resolve();
  const write = (file: FileHandle, value: unknown): void => {
    last = last.then(() => file.appendFile(`${JSON.stringify(value)}\n`));
  };
  return {
    path,
    event: (event, seq) => write(events, { ...event, seq }),
    utterance: (utterance, seq) => write(transcript, { ...utterance, seq }),
    keep: async () => {
      await last;
      for (const name of [EVENTS, TRANSCRIPT]) await rename(draftOf(path, name), join(path, name));
    },
    close: async () => {
      await last;
      await Promise.all([events, transcript].map((file) => file.sync().then(() => file.close())));
    },
  };
}

/** Utterances that stand in the folder from an earlier life of the run. */
export async function countSpoken(runs: string, run: string): Promise<number> {
  const text = await readFile(join(runs, run, TRANSCRIPT), 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}

export function writeRunFile(folder: string, facts: RunFacts): Promise<void> {
  return writeWhole(join(folder, 'run.json'), `${JSON.stringify(facts, null, 2)}\n`);
}

const draftOf = (folder: string, name: string): string => join(folder, `${name}.draft`);
