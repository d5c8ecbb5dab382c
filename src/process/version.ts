/** The version of this program, from the `package.json` of its package. */
import { readFile } from 'node:fs/promises';
import { packageFile } from './package-file.ts';

export async function programVersion(): Promise<string> {
  const text = await readFile(await packageFile('package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
