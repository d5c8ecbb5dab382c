/** What a shell may complete of each command, read from its help, which is made of its table of flags. */

/** What follows a flag, or stands for itself. */
export type Values = 'file' | 'folder' | 'run' | 'nothing' | string[];

export interface FlagWords {
  name: string;
  /** Undefined: it takes none. */
  values: Values | undefined;
  about: string;
}

export interface CommandWords {
  name: string;
  summary: string;
  subcommands: string[];
  flags: FlagWords[];
  /** What stands alone. */
  operand: Values;
}

const FLAG = /--([a-z][a-z-]*)(?:[ =](\[?[A-Z][^\s,\]]*\]?(?:[A-Z]+)?|[a-z0-9]+(?:\|[a-z0-9]+)+))?/g;

/** @param help what `entrain help NAME` prints */
export function commandWords(
  name: string,
  { summary, help }: { summary: string; help: string },
): CommandWords {
  const calls = help.split('\n').filter((line) => line.startsWith('entrain '));
  const own = calls.flatMap((line) => line.split(/, (?=entrain )/)).filter((line) => callOf(line) === name);
  const after = own.map((line) => line.split(' ').slice(2));
  const subcommands = [
    ...new Set(after.flatMap(([word = '']) => (/^[a-z]+(\|[a-z]+)*$/.test(word) ? word.split('|') : []))),
  ];
  const operands = after.flat().filter((word) => /^\[?[A-Z]+\]?…?$/.test(word));
  return { name, summary, subcommands, flags: flagsIn(help), operand: valuesOf(operands[0] ?? '') };
}

const callOf = (line: string): string => line.split(' ')[1] ?? '';

function flagsIn(help: string): FlagWords[] {
  const flags = new Map<string, FlagWords>();
  for (const line of help.split('\n'))
    for (const [, name = '', value] of line.matchAll(FLAG)) {
      const known = flags.get(name);
      const isEntry = line.trimStart().startsWith(`--${name}`);
      // A mention in a sentence says neither its value nor what it is about.
      if (known && !isEntry && (known.values !== undefined || value === undefined)) continue;
      flags.set(name, {
        name,
        values: value === undefined ? undefined : valuesOf(value),
        about: aboutIn(line),
      });
    }
  return [...flags.values()];
}

/** What stands in the second column of a line of flags. */
const aboutIn = (line: string): string => /^ {2}--\S.*? {2,}(.+)$/.exec(line)?.[1] ?? '';

function valuesOf(placeholder: string): Values {
  const word = placeholder.replaceAll(/[[\]…]/g, '');
  if (/^[a-z0-9]+(\|[a-z0-9]+)+$/.test(word)) return word.split('|');
  if (word === 'RUN') return 'run';
  if (/DIR|FOLDER/.test(word)) return 'folder';
  return /FILE|\.npy/.test(word) ? 'file' : 'nothing';
}
