/**
 * Caches the answers of a judge by request, in `judge/SHA256.json` of the run folder, so that the same request is sent
 * once. Only answers that follow the schema are cached.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeAtomic } from '../../process/write-atomic.ts';

export interface AnswerCache {
  /** The text of an answer; undefined if there is none. */
  find(key: string): Promise<string | undefined>;
  keep(key: string, answer: string): Promise<void>;
}

export function openAnswerCache(folder: string): AnswerCache {
  const inside = join(folder, 'judge');
  const fileOf = (key: string): string => join(inside, `${key}.json`);
  return {
    find: (key) => readFile(fileOf(key), 'utf8').catch(() => undefined),
    keep: async (key, answer) => {
      await mkdir(inside, { recursive: true, mode: 0o700 });
      await writeAtomic(fileOf(key), answer);
    },
  };
}
