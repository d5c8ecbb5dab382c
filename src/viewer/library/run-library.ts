/** The runs of a folder of run folders: listed, opened, and followed while somebody looks at them. */
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
  /** One look at a time: the files are read on from where the last look stopped. */
  looking: Promise<FeedMessage[] | undefined>;
}

/** Runs whose words are held at a time; the one that was not looked at for the longest goes first. */
const MOST_OPEN = 64;

export class RunLibrary {
  readonly #runs: string;
  /** By name; the one that was looked at last is the last. */
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

  /** The run as it stands now; undefined if there is none of the name. */
  async open(run: string): Promise<FollowedRun | undefined> {
    if (!NAME_PATTERN.test(run)) return undefined;
    const shelf = this.#shelfOf(run);
    if (await look(shelf)) return shelf.run;
    if (shelf.listeners.size === 0) this.#shelves.delete(run);
    return undefined;
  }

  /** Tells what changes in a run from now on, until the returned function is called. */
  follow(run: string, listener: Listener): () => void {
    const { listeners } = this.#shelfOf(run);
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  /** Looks once at every run that is followed. */
  async lookAtFollowed(): Promise<void> {
    const followed = [...this.#shelves.values()].filter(({ listeners }) => listeners.size > 0);
    await Promise.all(followed.map(look));
  }

  async #entryOf(run: string): Promise<RunEntry | undefined> {
    const stamp = await stampOf(join(this.#runs, run));
    const known = this.#entries.get(run);
    if (known?.stamp === stamp && known.entry.state !== 'running') return known.entry;
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

/** Changes when one of the files does that the entry is made of. */
async function stampOf(folder: string): Promise<string> {
  const files = ['run.json', 'events.jsonl', 'scores.jsonl'];
  const found = await Promise.all(files.map((file) => stat(join(folder, file)).catch(() => undefined)));
  return found.map((one) => (one ? `${one.size}:${one.mtimeMs}` : '-')).join(' ');
}
