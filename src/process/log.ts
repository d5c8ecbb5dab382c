/** Structured logs on standard error. Texts are static, values go in fields; activations, prompts and secrets never. */
import { pino } from 'pino';
import { EntrainError } from '../protocol/errors.ts';
import { environment } from './environment.ts';

export type Logger = pino.Logger;

const LEVELS = [...Object.keys(pino.levels.values), 'silent'];

/** @throws EntrainError CONFIG_INVALID where ENTRAIN_LOG names no level */
export function createLog(program: string): Logger {
  const level = environment('ENTRAIN_LOG') ?? 'info';
  if (!LEVELS.includes(level))
    throw new EntrainError(
      'CONFIG_INVALID',
      `ENTRAIN_LOG is ${JSON.stringify(level)}: expected one of ${LEVELS.join(', ')}; set one of them, or unset it.`,
    );
  return pino({ name: program, level, base: { name: program } }, pino.destination({ fd: 2, sync: true }));
}
