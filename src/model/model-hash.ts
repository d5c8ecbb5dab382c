/** The identity of a model: one hash over graph, weights, configuration and tokenizer, remembered by size and time of change. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exists } from './model-folder.ts';

/** @param files absolute paths; those that do not exist are left out */
export async function hashModel(files: readonly string[], cacheFolder: string): Promise<string> {
  const whole = createHash('sha256');
  for (const file of files) {
    if (await exists(file)) whole.update(await hashFile(file, cacheFolder));
  }
  return whole.digest('hex');
}

async function hashFile(file: string, cacheFolder: string): Promise<string> {
  const { size, mtimeMs } = await stat(file);
  const key = createHash('sha256').update(`${file}\n${size}\n${mtimeMs}`).digest('hex');
  const note = join(cacheFolder, 'hashes', key);
  const known = await readFile(note, 'utf8').catch(() => '');
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  const digest = hash.digest('hex');
  await remember(note, digest);
  return digest;
}

/** Written aside and renamed, so that another agent never reads half a note; a cache that cannot be written is no fault. */
async function remember(note: string, digest: string): Promise<void> {
  const aside = `${note}.${process.pid}.tmp`;
  try {
    await mkdir(join(note, '..'), { recursive: true });
    await writeFile(aside, digest);
    await rename(aside, note);
  } catch {
    return;
  }
}
