/** Reading the values of command-line flags, so that every program refuses a bad one in the same words. */
import { EntrainError } from '../protocol/errors.ts';
import { NAME_PATTERN, RESERVED_RUNS } from '../protocol/subjects.ts';

/** @throws EntrainError `USAGE` */
export function wholeNumber(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text))
    throw new EntrainError('USAGE', `${flag} is "${text}": expected a whole number.`);
  return Number(text);
}

/** A name that may stand in subjects, file names and metrics. */
export function nameFlag(flag: string, text: string | undefined): string {
  const given = required(flag, text, 'a name');
  if (NAME_PATTERN.test(given)) return given;
  throw new EntrainError('USAGE', `${flag} is "${given}": expected up to 64 letters, digits, "-" or "_".`);
}

/** @throws EntrainError `USAGE` */
export function runFlag(flag: string, text: string | undefined): string {
  const run = nameFlag(flag, text);
  if (!RESERVED_RUNS.includes(run)) return run;
  throw new EntrainError(
    'USAGE',
    `${flag} is "${run}", which stands for something else in subjects: choose another name.`,
  );
}

export function required(flag: string, text: string | undefined, expected: string): string {
  if (text) return text;
  throw new EntrainError('USAGE', `${flag} is missing: expected ${expected}.`);
}
