/** The folder `../shared` beside the project: golden figures and models too large to ship. Not everybody has it. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a folder or file there, for `describe.skipIf(!existsSync(…))`. */
export function sharedFolder(sub: string): string {
  return fileURLToPath(new URL(`../../shared/${sub}`, import.meta.url));
}

export const hasShared = existsSync(sharedFolder('.'));
