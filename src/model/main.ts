/** The commands about models: `models inspect`, `models tap` and `doctor`. Their answers go to standard output. */
import { parseArgs } from 'node:util';
import { EntrainError } from '../protocol/errors.ts';
import { examineMachine, showMachine } from './doctor.ts';
import { inspectModel } from './folder/inspect-model.ts';
import { showModel } from './folder/show-model.ts';
import { writeTapped } from './graph/write-tapped.ts';

export const usage = (): string => `entrain models inspect DIR [--json]
  what a model folder holds, and the chain of taps that was found in its graph
entrain models tap DIR --out FILE [--json]
  writes the graph with a tap at every layer, for use elsewhere
entrain doctor [--json]
  what this machine can run, and how to get what is missing`;

/** @returns the exit status */
export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parse(argv);
  const [command, action, folder] = positionals;
  if (command === 'doctor') {
    const machine = await examineMachine();
    return say(values.json ? JSON.stringify(machine) : showMachine(machine));
  }
  if (command !== 'models' || (action !== 'inspect' && action !== 'tap')) throw misused('no such command');
  if (folder === undefined) throw misused('no model folder is given');
  if (action === 'inspect') {
    const model = await inspectModel(folder);
    return say(values.json ? JSON.stringify(model) : showModel(model));
  }
  if (values.out === undefined) throw misused('--out FILE is missing');
  const layers = await writeTapped(folder, values.out);
  return say(
    values.json ? JSON.stringify({ layers }) : `${values.out} has ${Object.keys(layers).length} taps`,
  );
}

interface Arguments {
  values: { json: boolean; out?: string | undefined };
  positionals: string[];
}

function parse(argv: string[]): Arguments {
  try {
    return parseArgs({
      args: argv,
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, out: { type: 'string' } },
    });
  } catch (cause) {
    throw misused((cause as Error).message);
  }
}

function misused(why: string): EntrainError {
  return new EntrainError(
    'USAGE',
    `${why}; expected "models inspect DIR [--json]", "models tap DIR --out FILE [--json]" or "doctor [--json]".`,
  );
}

function say(text: string): number {
  process.stdout.write(`${text}\n`);
  return 0;
}
