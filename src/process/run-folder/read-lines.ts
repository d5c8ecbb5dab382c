/** Reads a `.jsonl` file of a run folder line by line. A last line that a kill has torn is left out. */
import { readFile } from 'node:fs/promises';
import { EntrainError } from '../../protocol/errors.ts';

/**
 * @param check one line to a value; what it throws is said with the number of the line
 * @returns undefined when there is no such file
 * @throws EntrainError `RUN_INVALID` naming the line
 */
export async function readLines<T>(file: string, check: (line: string) => T): Promise<T[] | undefined> {
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new EntrainError('RUN_INVALID', `${file} cannot be read: expected a file of lines.`, { cause });
  });
  if (text === undefined) return undefined;
  const whole = text.slice(0, text.lastIndexOf('\n') + 1).split('\n');
  return whole.flatMap((line, at) => {
    if (line === '') return [];
    try {
      return [check(line)];
    } catch (cause) {
      throw new EntrainError(
        'RUN_INVALID',
        `Line ${at + 1} of ${file} is damaged: ${(cause as Error).message}`,
        {
          cause,
        },
      );
    }
  });
}
