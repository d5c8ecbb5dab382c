/** The version of this program, from the `package.json` of its package. */
import { readFile } from 'node:fs/promises';

/** Searches for `package.json` upwards from this file, which is one level deeper when compiled. */
export async function programVersion(): Promise<string> {
  for (const up of ['../../package.json', '../../../package.json']) {
    const text = await readFile(new URL(up, import.meta.url), 'utf8').catch(() => undefined);
    if (text) return (JSON.parse(text) as { version: string }).version;
  }
  return 'unknown';
}
