/** The commands of `entrain`: which module each is, and what `entrain help` says of it. */
import { EntrainError } from '../protocol/errors.ts';
import type { Flag } from '../process/usage.ts';
import { closestName } from './closest-name.ts';

export interface Command {
  /** Module of the program, relative to this file. */
  module: string;
  /** Arguments put before those of the user. */
  prefix?: string[];
  summary: string;
}

export const COMMANDS: Readonly<Record<string, Command>> = {
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
  load: {
    module: '../load/main.ts',
    summary: 'what an analyzer takes, by simulated agents: --url URL --agents N',
  },
  serve: { module: './serve/serve.ts', summary: 'keep the programs of all runs going on this machine' },
  join: {
    module: './join/join.ts',
    summary: 'let agents of this machine into a service: join TOKEN --model DIR',
  },
  token: { module: './service/token.ts', summary: 'a token by which one machine joins the service' },
  submit: { module: './service/submit.ts', summary: 'hand a study to the service: submit STUDY' },
  runs: {
    module: './service/act.ts',
    prefix: ['runs'],
    summary: 'the runs of the service: state, progress, what they show',
  },
  stop: {
    module: './service/act.ts',
    prefix: ['stop'],
    summary: 'stop a run where it is: stop RUN',
  },
  resume: {
    module: './service/act.ts',
    prefix: ['resume'],
    summary: 'go on with a run that stopped or failed: resume RUN',
  },
  logs: { module: './service/logs.ts', summary: 'what happened in a run, line by line: logs RUN' },
  results: { module: './service/results.ts', summary: 'fetch the files of a run: results RUN --out DIR' },
  fleet: {
    module: './service/act.ts',
    prefix: ['fleet'],
    summary: 'the programs of the service: machine, model, state, run',
  },
  drain: {
    module: './service/act.ts',
    prefix: ['drain'],
    summary: 'give an agent no further run: drain AGENT',
  },
  remove: {
    module: './service/act.ts',
    prefix: ['remove'],
    summary: 'take an agent out of its run at once: remove AGENT',
  },
  view: {
    module: '../viewer/main.ts',
    summary: 'show runs in a browser, live and afterwards: view [RUN [RUN]]',
  },
  config: {
    module: './configuration/config-command.ts',
    summary: 'what holds here, and by what: flags, environment, entrain.yaml',
  },
  completion: {
    module: './completion/completion-command.ts',
    summary: 'a script that completes commands and flags: completion bash|zsh|fish',
  },
  keys: { module: './keys.ts', summary: 'make the key pair that signs and checks stream tokens: keys DIR' },
  models: {
    module: '../model/main.ts',
    prefix: ['models'],
    summary: 'models inspect DIR, models tap DIR --out FILE, models try DIR',
  },
  doctor: {
    module: './doctor/doctor-command.ts',
    summary: 'what this machine can run, and what a service lacks here',
  },
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
  report: {
    module: '../report/main.ts',
    summary: 'what runs came to: one HTML file and results.json',
  },
  benchmark: {
    module: '../benchmark/main.ts',
    summary: 'a fixed protocol with each model, and a card for it: benchmark DIR…',
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
export interface Program {
  /** @returns the exit status */
  run(argv: string[]): Promise<number>;
  /** The text of `--help`: how the command is called, what it does, and its flags. */
  usage(): string;
  /** Its flags, if the environment and the configuration file may set them. */
  flags?: Readonly<Record<string, Flag>>;
}

/** @throws EntrainError `USAGE`, with the name that was most likely meant */
export function commandOf(name: string): Command {
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

/** No program is imported before it is needed. */
export async function loadProgram(command: Command): Promise<Program> {
  const file = new URL(command.module, import.meta.url);
  // The compiled file of a `.ts` module ends in `.js`; this specifier is data, so the compiler does not rewrite it.
  if (import.meta.url.endsWith('.js')) file.pathname = file.pathname.replace(/\.ts$/, '.js');
  return (await import(file.href)) as Program;
}
