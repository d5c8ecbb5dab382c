/** `entrain help CODE`: prints what docs/errors.md says about an error. */
import { readFile } from 'node:fs/promises';
import { ERROR_CODES } from '../protocol/errors.ts';

/** The section about an error code; undefined if there is no such code. */
export async function errorHelp(code: string): Promise<string | undefined> {
  if (!Object.hasOwn(ERROR_CODES, code)) return undefined;
  const section = (await readPage()).split(/^(?=##+ )/m).find((part) => part.startsWith(`### ${code}\n`));
  return section?.replace(/^### /, '').trimEnd();
}

/** docs/errors.md, which is one level higher when this file is compiled. */
async function readPage(): Promise<string> {
  const [source, compiled] = ['../../docs/errors.md', '../../../docs/errors.md'];
  const from = import.meta.url.endsWith('.ts') ? source : compiled;
  return readFile(new URL(from, import.meta.url), 'utf8');
}
