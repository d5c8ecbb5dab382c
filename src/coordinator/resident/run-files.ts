/** The files of a run folder that its submitter may fetch, in parts small enough for a message. */
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';

/** A part as base64 stays below a message's limit of 1 MB. */
const PART_BYTES = 512 * 1024;

/** What is nobody's result: secrets, the store of a private nats-server, spools, logs, and who has the folder. */
const PRIVATE = /^(secrets|nats|spool|logs)(\/|$)|(^|\/)running\.|\.draft$/;
/**
 * What holds no word of the talk. Reports, answers of judges and tables do, under whatever name; from states and from
 * the features of words that stand beside them words can be told.
 */
const WORDLESS = /^(run|results|finished|removed)\.json$|^(events|scores|outcomes)\.jsonl$|^pinned$/;

export interface RunFile {
  path: string;
  bytes: number;
}

/** @param withDialogue whether the caller may read what was said */
export async function listRunFiles(folder: string, withDialogue: boolean): Promise<RunFile[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const paths = found
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !PRIVATE.test(path) && (withDialogue || WORDLESS.test(path)))
    .toSorted();
  return Promise.all(paths.map(async (path) => ({ path, bytes: (await stat(join(folder, path))).size })));
}

/**
 * Reads a part of a file that `listRunFiles` names.
 * @throws EntrainError `FILE_UNUSABLE`
 */
export async function readRunFilePart(
  folder: string,
  { path, offset, withDialogue }: { path: string; offset: number; withDialogue: boolean },
): Promise<{ data: string; last: boolean }> {
  const known = (await listRunFiles(folder, withDialogue)).find((file) => file.path === path);
  if (!known)
    throw new EntrainError(
      'FILE_UNUSABLE',
      `The run has no file ${path} that you may read: expected one of its list.`,
    );
  const file = await open(join(folder, path), 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(PART_BYTES), 0, PART_BYTES, offset);
    const data = buffer.subarray(0, bytesRead).toString('base64');
    return { data, last: offset + bytesRead >= known.bytes };
  } finally {
    await file.close();
  }
}
