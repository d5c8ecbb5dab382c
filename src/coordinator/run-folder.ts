/**
 * The coordinator's part of the run folder. `run.json` says what was run; `events.jsonl` and `transcript.jsonl` are
 * projections of the run's stream, written anew from its beginning whenever the coordinator starts.
 */
import { access, mkdir, open, rename, writeFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunEvent, Utterance } from '../protocol/control.ts';

export interface RunFolder {
  path: string;
  event(event: RunEvent): void;
  utterance(utterance: Utterance): void;
  /** Everything is on disk when this settles. */
  close(): Promise<void>;
}

export async function openRunFolder(runs: string, run: string): Promise<RunFolder> {
  const path = join(runs, run);
  await mkdir(path, { recursive: true });
  const events = await open(join(path, 'events.jsonl'), 'w');
  const transcript = await open(join(path, 'transcript.jsonl'), 'w');
  let last: Promise<unknown> = Promise.resolve();
  const write = (file: FileHandle, value: unknown): void => {
    last = last.then(() => file.appendFile(`${JSON.stringify(value)}\n`));
  };
  return {
    path,
    event: (event) => write(events, event),
    utterance: (utterance) => write(transcript, utterance),
    close: async () => {
      await last;
      await Promise.all([events, transcript].map((file) => file.sync().then(() => file.close())));
    },
  };
}

/** Whether an earlier life of the coordinator began this run. */
export function hasBegun(runs: string, run: string): Promise<boolean> {
  return access(join(runs, run, 'run.json')).then(
    () => true,
    () => false,
  );
}

/** Whole or not at all: written beside its place and moved there. */
export async function writeRunFile(folder: string, facts: unknown): Promise<void> {
  const draft = join(folder, 'run.json.draft');
  await writeFile(draft, `${JSON.stringify(facts, null, 2)}\n`);
  await rename(draft, join(folder, 'run.json'));
}
