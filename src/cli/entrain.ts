/**
 * The `entrain` command: loads the program that a command names, passes it the remaining arguments, and reports
 * every known fault as one sentence with a non-zero exit status. No program is imported before it is needed.
 */
import '../process/telemetry-off.ts';
import { EntrainError } from '../protocol/errors.ts';
import { programVersion } from '../process/version.ts';
import { closestName } from './closest-name.ts';
import { errorHelp } from './error-page.ts';
import { reportError, reportUncaught } from './report-error.ts';

interface Command {
  /** Module of the program, relative to this file. */
  module: string;
  /** Arguments put before those of the user. */
  prefix?: string[];
  summary: string;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  start: {
    module: './start/start.ts',
    summary: 'run a study here: NATS, coordinator, analyzer and agents in one go',
  },
  rerun: {
    module: './start/rerun.ts',
    summary: 'run the study of a run again, and say whether all is equal',
  },
  agent: { module: '../agent-node/main.ts', summary: 'run one agent: --id ID --model DIR' },
  coordinator: {
    module: '../coordinator/main.ts',
    summary: 'run a study: --run NAME --study FILE --private-key FILE',
  },
  analyzer: { module: '../analyzer/main.ts', summary: 'record activation streams and compute synchrony' },
  view: { module: '../viewer/main.ts', summary: 'show runs in a browser, live and afterwards: view [RUN]' },
  keys: { module: './keys.ts', summary: 'make the key pair that signs and checks stream tokens: keys DIR' },
  models: {
    module: '../model/main.ts',
    prefix: ['models'],
    summary: 'models inspect DIR, models tap DIR --out FILE, models try DIR',
  },
  doctor: { module: '../model/main.ts', prefix: ['doctor'], summary: 'what this machine can run' },
  measure: { module: '../measure/main.ts', summary: 'a measure over arrays or a run folder' },
  verify: {
    module: '../recordings/main.ts',
    prefix: ['verify'],
    summary: 'check every byte of a recording',
  },
  replay: {
    module: '../recordings/main.ts',
    prefix: ['replay'],
    summary: 'recompute every score from a recording',
  },
  export: {
    module: '../recordings/main.ts',
    prefix: ['export'],
    summary: 'a recording as npy or safetensors, its talk and scores as csv or parquet',
  },
  import: {
    module: '../studies/main.ts',
    prefix: ['import'],
    summary: 'make a study of files that others published: import sotopia DIR',
  },
  study: {
    module: '../studies/main.ts',
    prefix: ['study'],
    summary: 'check a study file and say what it comes to: study validate|plan FILE',
  },
  evaluate: {
    module: '../outcomes/main.ts',
    summary: 'what came of the episodes: by rules, a file, a judge',
  },
  analyze: {
    module: '../analysis/main.ts',
    summary: 'does synchrony go with outcomes across models?',
  },
  pin: {
    module: '../recordings/main.ts',
    prefix: ['pin'],
    summary: 'keep a recording whatever the disk budget',
  },
  unpin: {
    module: '../recordings/main.ts',
    prefix: ['unpin'],
    summary: 'let a recording go when room is needed',
  },
};

/** Exports of a command's module. */
interface Program {
  /** @returns the exit status */
  run(argv: string[]): Promise<number>;
  /** The text of `--help`: how the command is called, what it does, and its flags. */
  usage(): string;
}

const HELP_FLAGS = ['--help', '-h'];

async function main(argv: string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--version') return print(`entrain ${await programVersion()}`);
  if (name === undefined || HELP_FLAGS.includes(name)) return print(help());
  if (name === 'help') return print(rest[0] === undefined ? help() : await helpOf(rest[0]));
  const command = commandOf(name);
  const program = await load(command);
  if (rest.some((argument) => HELP_FLAGS.includes(argument))) return print(program.usage());
  return program.run([...(command.prefix ?? []), ...rest]);
}

/** Help for a command or an error code. */
async function helpOf(topic: string): Promise<string> {
  return (await errorHelp(topic)) ?? (await load(commandOf(topic))).usage();
}

function commandOf(name: string): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command) return command;
  const closest = closestName(name, Object.keys(COMMANDS));
  const advice = closest === undefined ? '"entrain help" explains them' : `did you mean "${closest}"?`;
  throw new EntrainError(
    'USAGE',
    `There is no command "${name}": expected one of ${Object.keys(COMMANDS).join(', ')}; ${advice}.`.replace(
      '?.',
      '?',
    ),
  );
}

async function load(command: Command): Promise<Program> {
  const file = new URL(command.module, import.meta.url);
  // The compiled file of a `.ts` module ends in `.js`; this specifier is data, so the compiler does not rewrite it.
  if (import.meta.url.endsWith('.js')) file.pathname = file.pathname.replace(/\.ts$/, '.js');
  return (await import(file.href)) as Program;
}

function help(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  const examples = [
    ['entrain start', 'the demo: two models talk, and the viewer shows it'],
    ['entrain start --study my-study.json --once', 'a study of your own, to its end'],
    ['entrain view', 'all runs in a browser'],
    ['entrain verify runs/NAME', 'is every byte of it there?'],
  ] as const;
  const wide = Math.max(...examples.map(([call]) => call.length));
  const shown = examples.map(([call, about]) => `  ${call.padEnd(wide)}   ${about}`);
  const more = '"entrain help COMMAND" says more of one, "entrain help CODE" what to do about an error.';
  return [
    'entrain: live hyperscanning for language models',
    '',
    ...shown,
    '',
    'Commands:',
    '',
    ...lines,
    '',
    more,
  ].join('\n');
}

function print(text: string): number {
  console.log(text);
  return 0;
}

reportUncaught();
process.exitCode = await main(process.argv.slice(2)).catch(reportError);
// A failed start may leave sockets or a worker open; nothing of value is pending once `run` has settled.
process.exit();
