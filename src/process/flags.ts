/** Reads values of command-line flags, so that every program refuses a bad value in the same words. */
import { EntrainError } from '../protocol/errors.ts';
import { NAME_PATTERN, RESERVED_RUNS } from '../protocol/subjects.ts';

/**
 * A whole number within the limits.
 * @throws EntrainError `USAGE`
 */
export function wholeNumber(
  flag: string,
  text: string,
  { least = 0, most = 999_999_999 }: { least?: number; most?: number } = {},
): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least && value <= most) return value;
  throw new EntrainError('USAGE', `${flag} is "${text}": expected a whole number from ${least} to ${most}.`);
}

/** A port; 0 lets the system choose a free one. */
export const portFlag = (text: string): number => wholeNumber('--port', text, { most: 65_535 });

export const threadsFlag = (text: string): number => wholeNumber('--threads', text, { least: 1, most: 1024 });

/** `--at-once`: episodes that an agent plays at the same time; undefined without the flag. */
export const atOnceFlag = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : wholeNumber('--at-once', text, { least: 1, most: 64 });

/** `--cache-mb`: memory for KV caches in MiB; undefined without the flag. */
export const cacheMbFlag = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : wholeNumber('--cache-mb', text, { least: 1 });

export const PROVIDERS = ['cpu', 'webgpu', 'cuda', 'coreml', 'dml'] as const;

/**
 * An execution provider by name. Whether this machine has it is known only to the runtime.
 * @throws EntrainError `USAGE`
 */
export function providerFlag(text: string): (typeof PROVIDERS)[number] {
  const known = PROVIDERS.find((name) => name === text);
  if (known) return known;
  throw new EntrainError(
    'USAGE',
    `--provider is "${text}": expected one of ${PROVIDERS.join(', ')}; "entrain doctor" says what works here.`,
  );
}

/**
 * A name that may be part of subjects, file names and metrics.
 * @throws EntrainError `USAGE`
 */
export function nameFlag(flag: string, text: string | undefined): string {
  const given = required(flag, text, 'a name');
  if (NAME_PATTERN.test(given)) return given;
  throw new EntrainError('USAGE', `${flag} is "${given}": expected up to 64 letters, digits, "-" or "_".`);
}

/**
 * The name of a run.
 * @throws EntrainError `USAGE`
 */
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

/**
 * A word that nobody reads is most likely one that was meant: `pin a b` would leave b to be removed.
 * @throws EntrainError `USAGE` with more words than `most`
 */
export function noMore(words: readonly string[], most: number, expected: string): void {
  const tooMuch = words[most];
  if (tooMuch !== undefined)
    throw new EntrainError('USAGE', `"${tooMuch}" is too much: expected ${expected}.`);
}

/**
 * A flag of another command would change nothing: `stop RUN --undo` would stop the run.
 * @param tokens as `parseArgs` gives them
 * @throws EntrainError `USAGE`
 */
export function requireOwn(
  command: string,
  tokens: readonly { kind: string; name?: string }[],
  own: readonly string[],
): void {
  const other = tokens.find(({ kind, name }) => kind === 'option' && !own.includes(name ?? ''));
  if (other)
    throw new EntrainError(
      'USAGE',
      `"entrain ${command}" was given --${other.name}: "entrain help ${command.split(' ')[0]}" lists its flags.`,
    );
}
