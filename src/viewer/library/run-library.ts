/** Lists and opens the runs of a folder, and follows those that a client shows. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { NAME_PATTERN } from '../../protocol/subjects.ts';
import { isRunAlive } from '../../process/run-folder/run-alive.ts';
import type { FeedMessage, RunEntry } from '../view-data.ts';
import { FollowedRun } from './followed-run.ts';

type Listener = (messages: FeedMessage[]) => void;

interface Shelf {
  folder: string;
  run: FollowedRun;
  listeners: Set<Listener>;
  /** The read in progress; reads do not overlap, since each continues where the last one stopped. */
  looking: Promise<FeedMessage[] | undefined>;
}

/** Most runs whose words are in memory; the least recently used is dropped first. */
const MOST_OPEN = 64;

export class RunLibrary {
  readonly #runs: string;
  /** By name, in order of use; the most recently used is the last. */
  readonly #shelves = new Map<string, Shelf>();
  readonly #entries = new Map<string, { stamp: string; entry: RunEntry }>();

  constructor(runsFolder: string) {
    this.#runs = runsFolder;
  }

  /** Every run, the latest first. */
  async list(): Promise<RunEntry[]> {
    const names = await readdir(this.#runs).catch(() => []);
    const runs = names.filter((name) => NAME_PATTERN.test(name));
    const found = await Promise.all(runs.map((run) => this.#entryOf(run)));
    return found.filter((entry) => entry !== undefined).toSorted((a, b) => b.startedAtMs - a.startedAtMs);
  }

  /** The run's present state; undefined if there is no run of this name. */
  async open(run: string): Promise<FollowedRun | undefined> {
    if (!NAME_PATTERN.test(run)) return undefined;
    const shelf = this.#shelfOf(run);
    if (await look(shelf)) return shelf.run;
    if (shelf.listeners.size === 0) this.#shelves.delete(run);
    return undefined;
  }

  /** Calls `listener` with each change of a run until the returned function is called. */
  follow(run: string, listener: Listener): () => void {
    const { listeners } = this.#shelfOf(run);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Reads every followed run once. */
  async lookAtFollowed(): Promise<void> {
    const followed = [...this.#shelves.values()].filter(({ listeners }) => listeners.size > 0);
    await Promise.all(followed.map(look));
  }

  async #entryOf(run: string): Promise<RunEntry | undefined> {
    const stamp = await stampOf(join(this.#runs, run));
    const known = this.#entries.get(run);
    if (known?.stamp === stamp && !['running', 'scoring'].includes(known.entry.state)) return known.entry;
    const entry = (await this.open(run))?.entry();
    if (entry) this.#entries.set(run, { stamp, entry });
    return entry;
  }

  #shelfOf(run: string): Shelf {
    const known = this.#shelves.get(run);
    this.#shelves.delete(run);
    const folder = join(this.#runs, run);
    const looking = Promise.resolve(undefined);
    const shelf = known ?? { folder, run: new FollowedRun(folder), listeners: new Set(), looking };
    this.#shelves.set(run, shelf);
    this.#makeRoom(run);
    return shelf;
  }

  #makeRoom(kept: string): void {
    for (const [name, { listeners }] of this.#shelves) {
      if (this.#shelves.size <= MOST_OPEN) return;
      if (listeners.size === 0 && name !== kept) this.#shelves.delete(name);
    }
  }
}

function look(shelf: Shelf): Promise<FeedMessage[] | undefined> {
  shelf.looking = shelf.looking
    .catch(() => undefined)
    .then(async () => {
      const messages = await shelf.run.look(() => isRunAlive(shelf.folder));
      if (messages && messages.length > 0) for (const listener of shelf.listeners) listener(messages);
      return messages;
    });
  return shelf.looking;
}

/** A value that changes when one of the entry's files changes. */
async function stampOf(folder: string): Promise<string> {
  const files = ['run.json', 'events.jsonl', 'scores.jsonl'];
  const found = await Promise.all(files.map((file) => stat(join(folder, file)).catch(() => undefined)));
  return found.map((one) => (one ? `${one.size}:${one.mtimeMs}` : '-')).join(' ');
}
