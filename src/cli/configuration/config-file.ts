/**
 * The configuration file: YAML with one section for each program, whose keys are the program's flags. It is the file
 * that `ENTRAIN_CONFIG` names, or `entrain.yaml` in the working folder, where there is one.
 */
import { readFile } from 'node:fs/promises';
import { environment } from '../../process/environment.ts';
import { decodeText } from '../../process/json-text.ts';
import { parseYamlText } from '../../process/yaml-text.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { closestName } from '../closest-name.ts';

/** The programs that the file may speak of. */
export const PROGRAMS = ['start', 'coordinator', 'analyzer', 'agent', 'view'] as const;
export type ProgramName = (typeof PROGRAMS)[number];

const USUAL_FILE = 'entrain.yaml';

export interface ConfigFile {
  path: string;
  /** Keys and values of each section, as they stand there. */
  sections: Readonly<Record<string, Readonly<Record<string, unknown>> | undefined>>;
}

/**
 * @returns undefined if no file is named and none is in the working folder
 * @throws EntrainError `CONFIG_INVALID`
 */
export async function readConfigFile(): Promise<ConfigFile | undefined> {
  const named = environment('ENTRAIN_CONFIG');
  const path = named ?? USUAL_FILE;
  const refuse = (fault: string, cause?: unknown): EntrainError =>
    new EntrainError('CONFIG_INVALID', `The configuration file ${path} ${fault}.`, { cause });
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (named === undefined && cause.code === 'ENOENT') return undefined;
    throw refuse('cannot be read: expected a YAML file; ENTRAIN_CONFIG names it', cause);
  });
  if (!bytes) return undefined;
  const decoded = decodeText(bytes);
  if ('fault' in decoded) throw refuse(decoded.fault);
  const parsed = parseYamlText(decoded.text);
  if ('fault' in parsed) throw refuse(parsed.fault);
  const sections = parsed.value ?? {};
  if (!isSection(sections)) throw refuse(`is no mapping: expected sections named ${PROGRAMS.join(', ')}`);
  for (const [name, section] of Object.entries(sections)) {
    if (!isProgram(name)) throw refuse(`has "${name}": expected a section ${adviceFor(name, PROGRAMS)}`);
    if (section !== null && !isSection(section))
      throw refuse(`has a section "${name}" that is no mapping: expected flags and their values`);
  }
  const given = Object.entries(sections).filter(([, section]) => section !== null);
  return { path, sections: Object.fromEntries(given) as ConfigFile['sections'] };
}

/** "such as “x”" for the likeliest of the names, or all of them. */
export function adviceFor(name: string, names: readonly string[]): string {
  const closest = closestName(name, names);
  return closest === undefined ? `of ${names.join(', ')}` : `such as "${closest}"`;
}

export const isProgram = (name: string): name is ProgramName =>
  (PROGRAMS as readonly string[]).includes(name);

const isSection = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
