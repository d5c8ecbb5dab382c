/** Where a model is that a study names. */
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { packageFile } from '../package-file.ts';

/** @returns the folder seen from here or, where there is none, from this package */
export async function modelOfStudy(folder: string): Promise<string> {
  const here = resolve(folder);
  return access(here).then(
    () => here,
    () => packageFile(folder),
  );
}
