/** Reads a file that holds a secret, and refuses one that other users of this machine can read. */
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { EntrainError } from '../protocol/errors.ts';

/**
 * Container engines and systemd put secrets here, with modes of their own and access lists that the mode does not show;
 * only the program that they start can read them.
 */
const GUARDED_FOLDERS = ['/run/secrets/', '/run/credentials/'];
const GROUP_AND_OTHERS = 0o077;

/**
 * @param setting the flag or variable that named the file
 * @param expected what the file should hold, for the error message
 * @throws EntrainError `CONFIG_INVALID`; its message never contains the file's content
 */
export async function readSecretFile(setting: string, file: string, expected: string): Promise<string> {
  const { mode, text } = await readWithMode(file).catch((cause: unknown) => {
    throw new EntrainError(
      'CONFIG_INVALID',
      `${setting} cannot be read (${file}): expected a file with ${expected}.`,
      { cause },
    );
  });
  const exposed = (mode & GROUP_AND_OTHERS) !== 0 && !isGuarded(file);
  if (!exposed) return text;
  const found = (mode & 0o777).toString(8).padStart(4, '0');
  throw new EntrainError(
    'CONFIG_INVALID',
    `${setting} names a secret that other users can read (${file} has mode ${found}): expected mode 0600; run "chmod 600 ${file}".`,
  );
}

/** Whether the file lies where its mode says nothing of who can read it. */
export const isGuarded = (file: string): boolean =>
  GUARDED_FOLDERS.some((folder) => resolve(file).startsWith(folder));

/** Reads mode and text from one open file, so that it cannot be exchanged in between. */
async function readWithMode(file: string): Promise<{ mode: number; text: string }> {
  const handle = await open(file, 'r');
  try {
    return { mode: (await handle.stat()).mode, text: await handle.readFile('utf8') };
  } finally {
    await handle.close();
  }
}
