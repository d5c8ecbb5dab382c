/**
 * What a program's flags are set to, and by what. One rule for all: the command line, then the environment
 * (`--at-once` is `ENTRAIN_AT_ONCE`), then the program's section of the configuration file, then the default.
 */
import { environment } from '../../process/environment.ts';
import type { Flag } from '../../process/usage.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { adviceFor, readConfigFile, type ConfigFile } from './config-file.ts';

export type Flags = Readonly<Record<string, Flag>>;

/** A flag that the environment or the file sets. */
export interface Setting {
  flag: string;
  /** As on a command line; a boolean flag has none. */
  values: string[];
  /** Whether it changes anything: a boolean flag may be set to false. */
  isOn: boolean;
  /** The variable, or the file and its section. */
  source: string;
}

const TRUE = ['true', '1', 'yes'];
const FALSE = ['false', '0', 'no'];

export const variableOf = (flag: string): string => `ENTRAIN_${flag.toUpperCase().replaceAll('-', '_')}`;

/**
 * The settings of a program from outside its command line.
 * @throws EntrainError `CONFIG_INVALID`
 */
export async function readOuterSettings(program: string, flags: Flags): Promise<Setting[]> {
  // The supervisor gives its programs all that they need; what is meant for it is not meant for them.
  if (environment('ENTRAIN_SUPERVISED') !== undefined) return [];
  const file = await readConfigFile();
  const section = file?.sections[program] ?? {};
  const unknown = Object.keys(section).find((key) => !Object.hasOwn(flags, key));
  if (file && unknown !== undefined)
    throw new EntrainError(
      'CONFIG_INVALID',
      `The configuration file ${file.path} sets "${unknown}" for ${program}: expected a flag ${adviceFor(unknown, Object.keys(flags))}.`,
    );
  return Object.entries(flags).flatMap(([name, flag]) => {
    const text = environment(variableOf(name));
    if (text !== undefined) return [fromVariable(name, flag, text)];
    return section[name] === undefined || !file ? [] : [fromFile(name, flag, { file, program })];
  });
}

function fromVariable(name: string, flag: Flag, text: string): Setting {
  const source = variableOf(name);
  if (flag.type === 'boolean') return booleanSetting(name, text.toLowerCase(), source);
  const values = flag.multiple === true ? text.split(',') : [text];
  return { flag: name, values, isOn: true, source };
}

function fromFile(name: string, flag: Flag, place: { file: ConfigFile; program: string }): Setting {
  const source = `${place.program} in ${place.file.path}`;
  const value = place.file.sections[place.program]?.[name];
  const isList = Array.isArray(value) && flag.multiple === true;
  const parts: unknown[] = isList ? value : [value];
  const values = parts.map((part) => scalarText(part, { name, source }));
  if (flag.type === 'boolean') return booleanSetting(name, values[0] ?? '', source);
  return { flag: name, values, isOn: true, source };
}

function scalarText(value: unknown, { name, source }: { name: string; source: string }): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  throw new EntrainError('CONFIG_INVALID', `"${name}" of ${source} is no text, number or truth value.`);
}

function booleanSetting(flag: string, text: string, source: string): Setting {
  if (!TRUE.includes(text) && !FALSE.includes(text))
    throw new EntrainError(
      'CONFIG_INVALID',
      `--${flag} (from ${source}) is "${text}": expected true or false.`,
    );
  return { flag, values: [], isOn: TRUE.includes(text), source };
}

/** Those that the command line does not name itself. */
export const notOn = (argv: readonly string[], settings: readonly Setting[]): Setting[] =>
  settings.filter(({ flag }) => !argv.some((text) => text === `--${flag}` || text.startsWith(`--${flag}=`)));

/** The settings as arguments, to be put before those of the command line. */
export const asArguments = (settings: readonly Setting[]): string[] =>
  settings.flatMap(({ flag, values, isOn }) => {
    if (!isOn) return [];
    return values.length === 0 ? [`--${flag}`] : values.map((value) => `--${flag}=${value}`);
  });

/** An error that begins with a flag which nobody typed says where its value comes from. */
export function withSource(error: unknown, settings: readonly Setting[]): unknown {
  if (!(error instanceof EntrainError)) return error;
  const setting = settings.find(({ flag }) => error.message.startsWith(`--${flag} `));
  if (!setting) return error;
  const { flag, source } = setting;
  const message = error.message.replace(`--${flag}`, `--${flag} (from ${source})`);
  return new EntrainError(error.code, message, { cause: error });
}
