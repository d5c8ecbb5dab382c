/** `entrain config`: what holds for each program that is started here, and by what. */
import { parseArgs } from 'node:util';
import { environment } from '../../process/environment.ts';
import { usageText, type Flag } from '../../process/usage.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { commandOf, loadProgram } from '../commands.ts';
import { adviceFor, isProgram, PROGRAMS, type ProgramName } from './config-file.ts';
import { readOuterSettings, type Setting } from './settings.ts';

const FLAGS = {
  json: { type: 'boolean', default: false, about: 'for a program' },
} as const;

/** Variables with the address and user of NATS; the password is never shown. */
const NATS_VARIABLES = [
  'NATS_URL',
  'NATS_REPLICAS',
  'NATS_USER',
  'NATS_CREDS_FILE',
  'NATS_PASSWORD_FILE',
  'NATS_PASSWORD',
  'NATS_CA_FILE',
  'NATS_CERT_FILE',
  'NATS_KEY_FILE',
];

interface Row {
  program: string;
  name: string;
  value: string;
  source: string;
}

export const usage = (): string =>
  usageText(
    {
      call: 'entrain config [PROGRAM]',
      about: `What holds for ${PROGRAMS.join(', ')}: flag = ENTRAIN_* variable = key of entrain.yaml, in this order.`,
    },
    FLAGS,
  );

/** @returns the exit status */
export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: argv, options: FLAGS, allowPositionals: true });
  const rows = natsRows();
  for (const program of programsOf(positionals)) {
    const { flags = {} } = await loadProgram(commandOf(program));
    const settings = await readOuterSettings(program, flags);
    rows.push(...Object.entries(flags).map(([name, flag]) => rowOf(program, { name, flag }, settings)));
  }
  console.log(values.json ? JSON.stringify(rows, undefined, 2) : textOf(rows));
  return 0;
}

function programsOf(names: readonly string[]): readonly ProgramName[] {
  const unknown = names.find((name) => !isProgram(name));
  if (unknown !== undefined)
    throw new EntrainError(
      'USAGE',
      `"${unknown}" has no configuration: expected a program ${adviceFor(unknown, PROGRAMS)}.`,
    );
  return names.length === 0 ? PROGRAMS : names.filter(isProgram);
}

function natsRows(): Row[] {
  return NATS_VARIABLES.map((name) => {
    const value = environment(name);
    const shown = name === 'NATS_PASSWORD' ? '(not shown)' : value;
    return {
      program: 'all',
      name,
      value: value === undefined ? '' : (shown ?? ''),
      source: value === undefined ? 'not set' : 'environment',
    };
  });
}

function rowOf(
  program: ProgramName,
  { name, flag }: { name: string; flag: Flag },
  settings: readonly Setting[],
): Row {
  const setting = settings.find((one) => one.flag === name);
  const row = { program, name: `--${name}` };
  if (!setting)
    return { ...row, value: flag.default === undefined ? '' : String(flag.default), source: 'default' };
  const value = flag.type === 'boolean' ? String(setting.isOn) : setting.values.join(',');
  return { ...row, value, source: setting.source };
}

function textOf(rows: readonly Row[]): string {
  const wide = (key: keyof Row): number => Math.max(...rows.map((row) => row[key].length));
  const [program, name, value] = [wide('program'), wide('name'), wide('value')];
  return rows
    .map(
      (row) =>
        `${row.program.padEnd(program)}  ${row.name.padEnd(name)}  ${row.value.padEnd(value)}  ${row.source}`,
    )
    .join('\n');
}
