/** The commands `models inspect`, `models tap`, `models try` and `doctor`. Their answers go to standard output. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { noMore } from '../process/flags.ts';
import { EntrainError } from '../protocol/errors.ts';
import { examineMachine, showMachine } from './doctor.ts';
import { inspectModel } from './folder/inspect-model.ts';
import { showModel } from './folder/show-model.ts';
import { writeTapped } from './graph/write-tapped.ts';
import { readTryArguments, TRY_FLAGS } from './try/try-arguments.ts';
import { tryModel, type TryReport } from './try/try-model.ts';

export const usage = (): string => `entrain models inspect DIR [--json]
  what a model folder holds, and the chain of taps that was found in its graph
entrain models tap DIR --out FILE [--json]
  writes the graph with a tap at every layer, for use elsewhere
entrain models try DIR [--system TEXT] [--peer TEXT]… [--say TEXT]… [--max-tokens N] [--temperature T] [--seed N] [--json]
  takes one turn and shows the prompt, its token ids, the reply, how it ended, and the norm of the state of every layer;
  --peer was heard and --say was spoken earlier, in the order given
Each takes --dtype fp32|fp16|q8|int8|uint8|q4|q4f16|bnb4 or --file FILE, where a folder holds several graphs.`;

const JSON_FLAG = { json: { type: 'boolean', default: false } } as const;
const FOLDER_FLAGS = { ...JSON_FLAG, dtype: { type: 'string' }, file: { type: 'string' } } as const;

/** @returns the exit status */
export async function run(argv: string[]): Promise<number> {
  const [command, action, ...rest] = argv;
  if (command === 'doctor') return doctor(argv.slice(1));
  if (command !== 'models') throw misused('no such command');
  const act = action !== undefined && Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (!act) throw misused('no such command');
  return act(rest);
}

const ACTIONS: Readonly<Record<string, (argv: string[]) => Promise<number>>> = { inspect, tap, try: tryOut };

async function doctor(argv: string[]): Promise<number> {
  const { values } = parse(argv, { ...JSON_FLAG, model: { type: 'string' } });
  const machine = await examineMachine(values.model);
  return say(values.json ? JSON.stringify(machine) : showMachine(machine));
}

async function inspect(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, FOLDER_FLAGS);
  const model = await inspectModel(folderOf(positionals), values);
  return say(values.json ? JSON.stringify(model) : showModel(model));
}

async function tap(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv, { ...FOLDER_FLAGS, out: { type: 'string' } });
  const folder = folderOf(positionals);
  if (values.out === undefined) throw misused('--out FILE is missing');
  const layers = await writeTapped(folder, values.out, values);
  return say(
    values.json ? JSON.stringify({ layers }) : `${values.out} has ${Object.keys(layers).length} taps`,
  );
}

async function tryOut(argv: string[]): Promise<number> {
  const parsed = parse(argv, { ...FOLDER_FLAGS, ...TRY_FLAGS });
  const report = await tryModel(readTryArguments(parsed, folderOf(parsed.positionals)));
  const { info, ...answer } = report;
  const json = { ...answer, notices: info.notices };
  return say(parsed.values.json ? JSON.stringify(json) : showTry(report));
}

function folderOf(words: readonly string[]): string {
  noMore(words, 1, 'one model folder');
  const [folder] = words;
  if (folder !== undefined) return folder;
  throw misused('no model folder is given');
}

function parse<T extends NonNullable<ParseArgsConfig['options']>>(argv: string[], options: T) {
  try {
    return parseArgs({ args: argv, allowPositionals: true, tokens: true, options });
  } catch (cause) {
    throw misused((cause as Error).message);
  }
}

function misused(why: string): EntrainError {
  return new EntrainError(
    'USAGE',
    `${why}; expected "models inspect DIR [--json]", "models tap DIR --out FILE [--json]", "models try DIR …" or "doctor [--model DIR] [--json]".`,
  );
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}

function showTry(report: TryReport): string {
  const { info, prompt, promptIds, text, finish, tokens, stateNorms } = report;
  const norms = stateNorms.map((norm, i) => `${i + 1}: ${norm.toPrecision(5)}`);
  const rows: [name: string, value: string][] = [
    ['model', `${info.name}, ${info.layers} layers of ${info.dims} dims, on ${info.provider}`],
    ['prompt', prompt],
    ['prompt ids', `${promptIds.length}: ${promptIds.join(' ')}`],
    ['reply', text],
    ['finish', `${finish}, after ${tokens} tokens`],
    ['norms', norms.join('  ')],
    ...info.notices.map((notice): [name: string, value: string] => ['notice', notice]),
  ];
  return rows
    .map(([name, value]) => `${name.padEnd(11)} ${value.replaceAll('\n', `\n${' '.repeat(12)}`)}`)
    .join('\n');
}
