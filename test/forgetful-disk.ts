/**
 * A disk in memory that loses what was not synced: a crash keeps of every file what was synced and, at random, a part of
 * the rest (or garbage of its length), and of every folder the names that were synced and, at random, some others.
 */
import type { Disk } from '../src/journal/disk.ts';

interface Kept {
  bytes: Buffer;
  size: number;
  synced: number;
}

export interface ForgetfulDisk extends Disk {
  /** The disk as the next start finds it; what still runs on this one changes nothing any more. */
  crash(): ForgetfulDisk;
}

export interface ForgetfulOptions {
  random(): number;
  /** Switches the mechanism under test off. */
  syncIsLie?: boolean;
  /** What survived an earlier crash. */
  files?: Map<string, Kept>;
}

export function createForgetfulDisk(options: ForgetfulOptions): ForgetfulDisk {
  const { random, syncIsLie = false } = options;
  const files = new Map(options.files);
  let named = new Map(options.files);
  let dead = false;
  let askedFor = 0;
  let namedBy = 0;
  const later = (job: () => void): Promise<void> => {
    return new Promise((resolve) => {
      const wait = (): void => {
        if (dead) return; // the machine is gone, nobody is answered
        if (!syncIsLie) job();
        resolve();
      };
      if (random() < 0.5) queueMicrotask(wait);
      else setImmediate(wait);
    });
  };
  return {
    makeFolder: () => undefined,
    list: (folder) =>
      [...files.keys()]
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
    read: (path) => {
      const file = files.get(path) as Kept;
      return Buffer.from(file.bytes.subarray(0, file.size));
    },
    remove: (path) => void files.delete(path),
    syncFolder: (folder) => {
      const now = [...files].filter(([path]) => path.startsWith(`${folder}/`));
      const order = ++askedFor;
      // Of two under way at once the earlier may end last; it takes back nothing.
      return later(() => {
        if (order > namedBy) [named, namedBy] = [new Map(now), order];
      });
    },
    open: (path) => {
      const file = files.get(path) ?? { bytes: Buffer.alloc(256), size: 0, synced: 0 };
      files.set(path, file);
      return {
        size: () => file.size,
        append: (parts) => {
          for (const part of parts) write(file, part);
        },
        write: async (parts) => {
          for (const part of parts) {
            write(file, part);
            // A crash may come between any two.
            if (random() < 0.3) await Promise.resolve();
          }
        },
        read: (offset, length) => Buffer.from(file.bytes.subarray(offset, offset + length)),
        truncate: (size) => {
          file.size = size;
          file.synced = Math.min(file.synced, size);
        },
        sync: () => {
          const { size } = file;
          return later(() => (file.synced = Math.max(file.synced, Math.min(size, file.size))));
        },
        close: () => undefined,
      };
    },
    crash: () => {
      dead = true;
      const survivors = new Map<string, Kept>();
      for (const [path, file] of files)
        if (named.has(path) || random() < 0.5) survivors.set(path, tear(file, random));
      for (const [path, file] of named)
        if (!files.has(path) && random() < 0.5) survivors.set(path, tear(file, random));
      return createForgetfulDisk({ ...options, files: survivors });
    },
  };
}

function write(file: Kept, part: Uint8Array): void {
  while (file.size + part.length > file.bytes.length)
    file.bytes = Buffer.concat([file.bytes, Buffer.alloc(file.bytes.length)]);
  file.bytes.set(part, file.size);
  file.size += part.length;
}

function tear(file: Kept, random: () => number): Kept {
  const size = file.synced + Math.floor(random() * (file.size - file.synced + 1));
  const bytes = Buffer.from(file.bytes.subarray(0, Math.max(size, 64)));
  if (random() < 0.3)
    for (let i = file.synced; i < size; i++) bytes[i] = random() < 0.5 ? 0 : Math.floor(random() * 256);
  return { bytes, size, synced: size };
}
