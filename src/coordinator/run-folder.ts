/**
 * The coordinator's files in the run folder. `run.json` says what was run. `events.jsonl`, `transcript.jsonl` and, in
 * a study with branches, `branches.jsonl` are projections of the run's stream, written anew whenever the coordinator
 * starts. They are drafts until the whole stream has been read, so that a coordinator that cannot continue does not
 * destroy those of an earlier life.
 */
import { open, readFile, rename, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { makeFolder } from '../process/make-folder.ts';
import { writeAtomic } from '../process/write-atomic.ts';
import type { RunEvent, RunFacts, Utterance } from '../protocol/nats-messages.ts';
import type { PlacedAlternative } from '../protocol/turn-order.ts';

export interface RunFolder {
  path: string;
  /** `seq`: place of the message in the run's stream. */
  event(event: RunEvent, seq: number): void;
  utterance(utterance: Utterance, seq: number): void;
  /** Adds an alternative of a turn that was spoken. */
  alternative(alternative: PlacedAlternative): void;
  /** Renames the drafts to their final names. */
  keep(): Promise<void>;
  /** Settles when everything is on disk. */
  close(): Promise<void>;
}

const EVENTS = 'events.jsonl';
const TRANSCRIPT = 'transcript.jsonl';
const BRANCHES = 'branches.jsonl';
/** The files hold what was said, and the agents' secrets. */
const OWNER_ONLY = 0o600;

/** @param branches whether the study has branches; without them there is no `branches.jsonl` */
export async function openRunFolder(
  runs: string,
  { run, branches }: { run: string; branches: boolean },
): Promise<RunFolder> {
  const path = join(runs, run);
  await makeFolder(path);
  const names = [EVENTS, TRANSCRIPT, ...(branches ? [BRANCHES] : [])];
  const files = new Map<string, FileHandle>();
  for (const name of names) files.set(name, await open(draftOf(path, name), 'w', OWNER_ONLY));
  // What came while a file was written goes there in one piece: a stream is read faster than a file takes lines.
  const waiting = new Map<string, string[]>(names.map((name) => [name, []]));
  const writeAll = async (): Promise<void> => {
    for (const [name, lines] of waiting)
      if (lines.length > 0) await files.get(name)?.appendFile(lines.splice(0).join(''));
  };
  let last: Promise<void> = Promise.resolve();
  const write = (name: string, value: unknown): void => {
    waiting.get(name)?.push(`${JSON.stringify(value)}\n`);
    last = last.then(writeAll);
  };
  return {
    path,
    event: (event, seq) => write(EVENTS, { ...event, seq }),
    utterance: (utterance, seq) => write(TRANSCRIPT, { ...utterance, seq }),
    alternative: ({ episode, turn, k, agent, text, ...rest }) =>
      write(BRANCHES, { run, episode, turn, k, agent, text, ...rest }),
    keep: async () => {
      await last;
      for (const name of names) await rename(draftOf(path, name), join(path, name));
    },
    close: async () => {
      await last;
      await Promise.all([...files.values()].map((file) => file.sync().then(() => file.close())));
    },
  };
}

/** Number of utterances in the folder from an earlier life of the run. */
export async function countSpoken(runs: string, run: string): Promise<number> {
  const text = await readFile(join(runs, run, TRANSCRIPT), 'utf8').catch(() => '');
  return text.split('\n').length - 1;
}

export function writeRunFile(folder: string, facts: RunFacts): Promise<void> {
  return writeAtomic(join(folder, 'run.json'), `${JSON.stringify(facts, null, 2)}\n`);
}

const draftOf = (folder: string, name: string): string => join(folder, `${name}.draft`);
