/**
 * Structured logs on standard error. Messages are constant and values go in fields; activations, prompts and
 * secrets are never logged.
 */
import { pino } from 'pino';
import { EntrainError } from '../protocol/errors.ts';
import { environment } from './environment.ts';

export type Logger = pino.Logger;

const LEVELS = [...Object.keys(pino.levels.values), 'silent'];

/**
 * Creates the log of a program.
 * @throws EntrainError `CONFIG_INVALID` if `ENTRAIN_LOG` names no level
 */
export function createLog(program: string): Logger {
  const level = environment('ENTRAIN_LOG') ?? 'info';
  if (!LEVELS.includes(level))
    throw new EntrainError(
      'CONFIG_INVALID',
      `ENTRAIN_LOG is ${JSON.stringify(level)}: expected one of ${LEVELS.join(', ')}; set one of them, or unset it.`,
    );
  return pino({ name: program, level, base: { name: program } }, pino.destination({ fd: 2, sync: true }));
}
