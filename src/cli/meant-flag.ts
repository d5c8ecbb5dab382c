/** The flag that somebody most likely meant who wrote one that is not there. */
import { EntrainError } from '../protocol/errors.ts';
import { closestName } from './closest-name.ts';

/**
 * @param help the help page of the command, which names every flag
 * @returns an error that names the flag, where the error is one of an unknown flag and one is close; else the error
 */
export function meantFlag(error: unknown, { name, help }: { name: string; help: string }): unknown {
  const isUnknown =
    error instanceof Error && 'code' in error && error.code === 'ERR_PARSE_ARGS_UNKNOWN_OPTION';
  if (!isUnknown) return error;
  const given = /--[^'\s=]+/.exec(error.message)?.[0] ?? '';
  const closest = closestName(given, [...new Set(help.match(/--[a-z][a-z-]*/g))]);
  if (closest === undefined) return error;
  const text = `There is no flag "${given}": did you mean "${closest}"? "entrain help ${name}" lists the flags.`;
  return new EntrainError('USAGE', text, { cause: error });
}
