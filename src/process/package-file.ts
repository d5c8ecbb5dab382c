/** Where the files of this package are, seen from the source tree or the compiled one, which is one level deeper. */
import { access } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { EntrainError } from '../protocol/errors.ts';

/**
 * @param path in the package, such as `studies/demo.json`; an empty one is its folder
 * @throws EntrainError `CONFIG_INVALID`
 */
export async function packageFile(path: string): Promise<string> {
  for (const up of ['../../', '../../../']) {
    const found = await access(new URL(`${up}package.json`, import.meta.url)).then(
      () => true,
      () => false,
    );
    if (found) return fileURLToPath(new URL(`${up}${path}`, import.meta.url)).replace(/\/$/, '');
  }
  throw new EntrainError(
    'CONFIG_INVALID',
    'The folder of the entrain package was not found: expected package.json above the program.',
  );
}
