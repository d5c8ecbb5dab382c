/** What is said of a flag that is not there: the one that was most likely meant, and which page lists them. */
import { EntrainError } from '../protocol/errors.ts';
import { closestName } from './closest-name.ts';

/**
 * @param help the help page of the command, which names every flag
 * @returns where the error is one of flags, an error that names the page, and the flag that is close to an unknown one;
 *   else the error itself
 */
export function meantFlag(error: unknown, { name, help }: { name: string; help: string }): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  if (!String(error.code).startsWith('ERR_PARSE_ARGS')) return error;
  const page = `"entrain help ${name}" lists the flags.`;
  const [said = ''] = error.message.split('\n');
  const given = error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION' ? /--[^'\s=]+/.exec(said)?.[0] : undefined;
  const flags = ['--help', ...(help.match(/--[a-z][a-z-]*/g) ?? [])];
  const closest = given === undefined ? undefined : closestName(given, [...new Set(flags)]);
  const text =
    closest === undefined
      ? `${said}${said.endsWith('.') ? '' : '.'} ${page}`
      : `There is no flag "${given}": did you mean "${closest}"? ${page}`;
  return new EntrainError('USAGE', text, { cause: error });
}
