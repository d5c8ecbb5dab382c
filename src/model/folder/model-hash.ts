/**
 * Identity of a model: one hash over graph, weights, configuration and tokenizer, cached by size and time of change.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { openNote } from './file-cache.ts';
import { exists } from './model-folder.ts';

/** @param files absolute paths; missing ones are left out */
export async function hashModel(files: readonly string[], cacheFolder: string): Promise<string> {
  const whole = createHash('sha256');
  for (const file of files) {
    if (await exists(file)) whole.update(await hashFile(file, cacheFolder));
  }
  return whole.digest('hex');
}

async function hashFile(file: string, cacheFolder: string): Promise<string> {
  const note = await openNote(file, cacheFolder, { kind: 'hashes' });
  const known = (await note.read())?.toString('utf8') ?? '';
  if (/^[0-9a-f]{64}$/.test(known)) return known;
  const hash = createHash('sha256');
  for await (const part of createReadStream(file)) hash.update(part as Buffer);
  const digest = hash.digest('hex');
  await note.write(digest);
  return digest;
}
