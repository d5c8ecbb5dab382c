/** Writes a small file atomically: whole or not at all, also after a kill, a full disk or a loss of power. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

let drafts = 0;

/**
 * Writes a temporary file beside the target, syncs it, and renames it. Until then, and after an error, the old
 * file is unchanged.
 * @param mode of the file; by default only its owner can read it
 * @throws the error of the system, such as ENOSPC
 */
export async function writeAtomic(path: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const draft = `${path}.${process.pid}-${(drafts += 1)}.draft`;
  try {
    const file = await open(draft, 'wx', mode);
    try {
      await file.writeFile(content);
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

/** Makes the new name durable, as far as the system can sync folders. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r').catch(() => undefined);
  await folder?.sync().catch(() => undefined);
  await folder?.close();
}
