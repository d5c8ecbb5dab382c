/** Settings of `entrain start`, checked before anything is started. */
import { randomBytes } from 'node:crypto';
import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { EntrainError } from '../../protocol/errors.ts';
import { agentsOf, type Study } from '../../protocol/study.ts';
import { systemClock } from '../../process/clock.ts';
import { environment } from '../../process/environment.ts';
import {
  portFlag,
  providerFlag,
  runFlag,
  threadsFlag,
  atOnceFlag,
  cacheMbFlag,
  wholeNumber,
} from '../../process/flags.ts';
import { packageFile } from '../../process/package-file.ts';
import { modelOfStudy } from '../../process/run-folder/model-of-study.ts';
import { usageText } from '../../process/usage.ts';
import { readStudy } from '../../process/run-folder/read-study.ts';
import { readRunFile, requireSameStudy } from '../../process/run-folder/run-file.ts';

export const FLAGS = {
  study: { type: 'string', value: 'FILE', about: 'the study to run (studies/demo.json)' },
  model: {
    type: 'string',
    multiple: true,
    value: '[AGENT=]DIR',
    about: 'decoder folder of all agents or of one',
  },
  run: { type: 'string', value: 'NAME', about: 'name of the run' },
  runs: { type: 'string', value: 'DIR', about: 'where run folders are (runs)' },
  seed: { type: 'string', value: 'N', about: 'in place of the study’s' },
  provider: { type: 'string', default: 'cpu', value: 'NAME', about: 'cpu, webgpu, cuda, coreml or dml' },
  threads: { type: 'string', default: '1', value: 'N', about: 'of each model' },
  'at-once': {
    type: 'string',
    value: 'N',
    about:
      'episodes that each agent plays at once (8 for each processor, at most 16; 2 where a graph cannot share passes)',
  },
  'cache-mb': {
    type: 'string',
    value: 'N',
    about: 'memory of each agent for keys and values (an eighth of the machine’s)',
  },
  host: {
    type: 'string',
    default: '127.0.0.1',
    value: 'ADDRESS',
    about: 'where viewer, metrics and results are served',
  },
  advertise: {
    type: 'string',
    value: 'NAME[:PORT]',
    about: 'how other machines reach it, with --host 0.0.0.0',
  },
  port: {
    type: 'string',
    default: '9464',
    value: 'PORT',
    about: 'of metrics and results; 0 takes a free one',
  },
  'view-port': {
    type: 'string',
    value: 'PORT',
    about: 'of the viewer; 0 takes a free one (9470, or the next one that is free)',
  },
  'http-token-file': { type: 'string', value: 'FILE', about: 'guards viewer, metrics and results' },
  'view-token-file': {
    type: 'string',
    value: 'FILE',
    about: 'guards the viewer alone, so that who reads figures does not read words',
  },
  'budget-gb': { type: 'string', value: 'N', about: 'what all recordings may take; the oldest finished go' },
  'max-run-gb': { type: 'string', value: 'N', about: 'what one recording may take' },
  'grace-seconds': {
    type: 'string',
    default: '60',
    value: 'N',
    about: 'how long an agent may be away before another takes its role',
  },
  once: { type: 'boolean', default: false, about: 'end when the study is done' },
  verbose: {
    type: 'boolean',
    default: false,
    about: 'tables at the end with every null and estimate, not the headline alone',
  },
  json: {
    type: 'boolean',
    default: false,
    about: 'the final report as one JSON object on standard output; all else goes to standard error',
  },
  'sentence-encoder': {
    type: 'string',
    value: 'DIR',
    about: 'encoder folder for the text features of all agents',
  },
  'step-measures': {
    type: 'string',
    value: 'NAMES',
    about: 'measures between aligned steps, with commas; empty: none',
  },
  'any-size': { type: 'boolean', default: false, about: 'begin also where the recording may not fit' },
} as const;

export const usage = (): string =>
  usageText(
    { call: 'entrain start', about: 'Runs a study here: NATS, coordinator, analyzer and agents in one go.' },
    FLAGS,
  );

/** The shipped model with the best ratio of skill to speed on two cores. */
const DEFAULT_MODEL = 'models/entrain-dialogue-8m';

export interface StartSettings {
  study: Study;
  studyFile: string;
  /** Agent id → model folder. */
  models: Map<string, string>;
  run: string;
  runs: string;
  folder: string;
  seed: number;
  provider: string;
  threads: number;
  /** How many episodes each agent plays at once, and its memory for keys and values; undefined: the agent chooses. */
  atOnce: number | undefined;
  cacheMb: number | undefined;
  host: string;
  /** Name by which others reach the analyzer; its flag `--advertise`. */
  advertise: string | undefined;
  port: number;
  /** Port of the viewer; 0 takes a free one; undefined: its usual one, or the next that is free. */
  viewPort: number | undefined;
  /** File with the token that guards viewer, metrics and results. */
  httpTokenFile: string | undefined;
  /** File with a token of the viewer's own; undefined: that of the figures opens it. */
  viewTokenFile: string | undefined;
  /** Disk budget of all recordings in `runs`; the analyzer parses it. */
  budgetGb: string | undefined;
  /** Disk budget of one recording; the analyzer parses it. */
  maxRunGb: string | undefined;
  /** How long an agent with an episode may be away, in seconds. */
  graceSeconds: number;
  once: boolean;
  /** Tables with every null and estimate. */
  verbose: boolean;
  /** The final report as JSON on standard output, and nothing else there. */
  json: boolean;
  /** Start even if the recording may not fit on the disk. */
  anySize: boolean;
  /** Folder of a sentence encoder that makes the text features of all agents. */
  sentenceEncoder: string | undefined;
  /** Measures between aligned steps; the analyzer parses them. Undefined: its default. */
  stepMeasures: string | undefined;
  /** URL of the user's NATS server; undefined if a private one is to be started. */
  natsUrl: string | undefined;
}

function viewPortOf(text: string | undefined, port: number): number | undefined {
  if (text !== undefined) return wholeNumber('--view-port', text, { most: 65_535 });
  return port === 0 ? 0 : undefined;
}

export async function readStartSettings(argv: string[]): Promise<StartSettings> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const root = await packageFile('');
  const studyFile = resolve(values.study ?? join(root, 'studies', 'demo.json'));
  const study = await readStudy(studyFile);
  const run = runFlag('--run', values.run ?? newRunName(study.name));
  const runs = resolve(values.runs ?? 'runs');
  const { host, advertise, once, verbose, json } = values;
  const port = portFlag(values.port);
  const seed = values.seed === undefined ? study.seed : wholeNumber('--seed', values.seed);
  await requireOwnStudy(join(runs, run), { ...study, seed });
  return {
    study,
    studyFile,
    models: await modelsOf(study, { flags: values.model ?? [], fallback: join(root, DEFAULT_MODEL) }),
    run,
    runs,
    folder: join(runs, run),
    seed,
    provider: providerFlag(values.provider),
    threads: threadsFlag(values.threads),
    atOnce: atOnceFlag(values['at-once']),
    cacheMb: cacheMbFlag(values['cache-mb']),
    host,
    advertise,
    port,
    viewPort: viewPortOf(values['view-port'], port),
    ...budgetsOf(values),
    graceSeconds: wholeNumber('--grace-seconds', values['grace-seconds']),
    once,
    verbose,
    json,
    anySize: values['any-size'],
    sentenceEncoder: values['sentence-encoder'] && resolve(values['sentence-encoder']),
    stepMeasures: values['step-measures'],
    httpTokenFile: values['http-token-file'],
    viewTokenFile: values['view-token-file'],
    natsUrl: environment('NATS_URL'),
  };
}

/** A run that goes on goes on with its own study. */
async function requireOwnStudy(folder: string, study: Study): Promise<void> {
  const begun = await readRunFile(folder);
  if (begun) requireSameStudy(begun.run, begun.study, study);
}

/** What recordings may take; the analyzer parses it. */
const budgetsOf = (values: {
  'budget-gb'?: string;
  'max-run-gb'?: string;
}): Pick<StartSettings, 'budgetGb' | 'maxRunGb'> => ({
  budgetGb: values['budget-gb'],
  maxRunGb: values['max-run-gb'],
});

/** Of each agent: what `--model ID=DIR` says, what `--model DIR` says, what the study says, or the default. */
async function modelsOf(
  study: Study,
  { flags, fallback }: { flags: string[]; fallback: string },
): Promise<Map<string, string>> {
  const agents = [...agentsOf(study)];
  const models = new Map<string, string>();
  for (const agent of agents) {
    const folder = study.models[agent];
    models.set(agent, folder === undefined ? fallback : await modelOfStudy(folder));
  }
  for (const text of flags) {
    const [, id, folder] = /^([A-Za-z0-9_-]+)=(.+)$/.exec(text) ?? [];
    if (id && !agents.includes(id))
      throw new EntrainError('USAGE', `--model names agent "${id}": expected one of ${agents.join(', ')}.`);
    for (const agent of id ? [id] : agents) models.set(agent, resolve(folder ?? text));
  }
  for (const agent of agents) await requireModel(agent, models.get(agent) ?? fallback);
  return models;
}

async function requireModel(agent: string, folder: string): Promise<void> {
  await access(join(folder, 'config.json')).catch((cause: unknown) => {
    throw new EntrainError(
      'MODEL_MISSING',
      `There is no model in ${folder} for agent "${agent}": expected a folder with config.json, tokenizer.json and onnx/*.onnx; name one with --model DIR.`,
      { cause },
    );
  });
}

/** A new run name of date, time, the study's name and random letters: sorts by time and does not collide. */
function newRunName(study: string): string {
  const stamp = new Date(systemClock.nowMs())
    .toISOString()
    .slice(0, 16)
    .replaceAll(/[-:]/g, '')
    .replace('T', '-');
  return `${stamp}-${study}-${randomBytes(2).toString('hex')}`;
}
