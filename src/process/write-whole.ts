/** Writes a small file whole or not at all, whatever happens meanwhile: a kill, a full disk, a loss of power. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

let drafts = 0;

/**
 * The text is written beside its place, synced, and moved there. Until then, and on an error, the file is what it was
 * before.
 *
 * @param mode of the file; left out: nobody but its owner can read it
 * @throws what the disk says, such as ENOSPC
 */
export async function writeWhole(path: string, text: string, mode = 0o600): Promise<void> {
  const draft = `${path}.${process.pid}-${(drafts += 1)}.draft`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes the new name durable; where a folder cannot be synced, it is as durable as that system allows. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
