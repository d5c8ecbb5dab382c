/** The version of this program, from the package it was built from. */
import { readFile } from 'node:fs/promises';

/** Looks for `package.json` upwards from this file: it stands one level higher when compiled. */
export async function programVersion(): Promise<string> {
  for (const up of ['../../package.json', '../../../package.json']) {
    const text = await readFile(new URL(up, import.meta.url), 'utf8').catch(() => undefined);
    if (text) return (JSON.parse(text) as { version: string }).version;
  }
  return 'unknown';
}
