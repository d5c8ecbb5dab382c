/** Caches what was found out about a file, until the file's size or time of change differs. */
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '../../process/make-folder.ts';
import { writeAtomic } from '../../process/write-atomic.ts';

export interface FileNote {
  /** The cached note; undefined if there is none for the file as it is now. */
  read(): Promise<Buffer | undefined>;
  write(content: string | Uint8Array): Promise<void>;
}

/** @param place the kind of note: a folder's name in the cache, and what else the note depends on */
export async function openNote(
  file: string,
  cacheFolder: string,
  place: { kind: string; variant?: string },
): Promise<FileNote> {
  const { size, mtimeMs } = await stat(file);
  const { kind, variant = '' } = place;
  const key = createHash('sha256').update(`${file}\n${size}\n${mtimeMs}${variant}`).digest('hex');
  const note = join(cacheFolder, kind, key);
  return {
    read: () => readFile(note).catch(() => undefined),
    write: (content) => keep(note, content),
  };
}

/** A cache may be shared by users. */
const MODE = 0o644;

/** A failure is ignored. */
async function keep(note: string, content: string | Uint8Array): Promise<void> {
  try {
    await makeFolder(dirname(note));
    await writeAtomic(note, content, MODE);
  } catch {
    return;
  }
}
