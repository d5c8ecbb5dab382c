/** Whether a folder can be worked in, found out before anything is started. */
import { access, constants } from 'node:fs/promises';
import { makeFolder } from './make-folder.ts';

/**
 * Makes the folder where it is not there.
 * @throws the fault of the operating system where it cannot be made, or this user may not write to it
 */
export async function requireWritableFolder(folder: string): Promise<void> {
  await makeFolder(folder);
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
}
