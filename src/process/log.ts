/** Structured logs on standard error. Texts are static, values go in fields; activations, prompts and secrets never. */
import { pino } from 'pino';
import { environment } from './environment.ts';

export type Logger = pino.Logger;

export function createLog(program: string): Logger {
  return pino(
    { name: program, level: environment('ENTRAIN_LOG') ?? 'info', base: { name: program } },
    pino.destination({ fd: 2, sync: true }),
  );
}
