/**
 * Makes a folder with those above it. Node's own recursive `mkdir` never returns where a file system says that a folder
 * is not there and cannot be made in the same words, as `/proc` does.
 */
import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * @returns the topmost folder that was made; undefined when the folder was there
 * @throws the error of the system, such as ENOENT under `/proc`, EEXIST or ENOTDIR where a file stands in the way
 */
export async function makeFolder(path: string, mode?: number): Promise<string | undefined> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isFolder(at)); at = dirname(at)) {
    missing.unshift(at);
    if (dirname(at) === at) break;
  }
  for (const folder of missing) await make(folder, mode);
  return missing[0];
}

async function make(folder: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(folder, mode);
  } catch (error) {
    // Another program may have made it at the same moment.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !(await isFolder(folder))) throw error;
  }
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
