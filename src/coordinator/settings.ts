/** Settings of `entrain coordinator`, checked before anything is started. */
import { parseArgs } from 'node:util';
import type { Study } from '../protocol/study.ts';
import { runFlag, required, wholeNumber } from '../process/flags.ts';
import { usageText } from '../process/usage.ts';
import { readSecretFile } from '../process/secret-file.ts';
import { readStudy } from '../process/run-folder/read-study.ts';
import { readServing, SERVE_FLAGS, type Serving } from '../transport/http/serve-flags.ts';
import { requireKey } from '../transport/stream/auth/signed-claims.ts';

const DAY_MS = 24 * 3600 * 1000;

export const FLAGS = {
  study: { type: 'string', value: 'FILE', about: 'the study to run; without one, all that are submitted' },
  run: { type: 'string', value: 'NAME', about: 'name of the run' },
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where run folders are' },
  'private-key': { type: 'string', value: 'FILE', about: 'signs stream tokens; of mode 0600' },
  seed: { type: 'string', value: 'N', about: 'in place of the study’s' },
  'wait-seconds': {
    type: 'string',
    default: '60',
    value: 'N',
    about: 'how long to wait for NATS, agents and analyzer',
  },
  'grace-seconds': {
    type: 'string',
    default: '60',
    value: 'N',
    about: 'how long an agent may be away before another takes its role',
  },
  'keep-days': {
    type: 'string',
    default: '30',
    value: 'N',
    about: 'how long NATS keeps what a finished run said, which its folder holds too; 0: for ever',
  },
  once: { type: 'boolean', default: false, about: 'end when the study is done' },
  'any-size': { type: 'boolean', default: false, about: 'begin also where the recording may not fit' },
  ...SERVE_FLAGS,
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain coordinator --private-key FILE [--run NAME --study FILE]',
      about:
        'Gives the episodes of a study to the agents that it names. Without a study it is resident: it leads the runs of all that are submitted, and a second one stands by. NATS_URL says where NATS is.',
    },
    FLAGS,
  );

export interface CoordinatorSettings {
  /** The only run; undefined for a coordinator that is resident. */
  one: { run: string; study: Study } | undefined;
  /** Folder of the run folders. */
  runs: string;
  /** Ed25519 private key, PEM. */
  privateKey: string;
  serving: Serving;
  /** How long to wait for agents and analyzer. */
  waitMs: number;
  /** How long an agent with an episode may be away. */
  graceMs: number;
  /** How long the stream of a finished run stays, for a resident coordinator; Infinity: for ever. */
  keepMs: number;
  once: boolean;
  /** Start even if the recording may not fit on the disk. */
  anySize: boolean;
}

export async function readSettings(argv: string[]): Promise<CoordinatorSettings> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const { runs, once } = values;
  const names = namesOfOne(values);
  const keyFile = required(
    '--private-key',
    values['private-key'],
    'the key that signs stream tokens ("entrain keys DIR" makes a pair)',
  );
  const privateKey = await readSecretFile(
    '--private-key',
    keyFile,
    'an Ed25519 private key in PEM ("entrain keys DIR" makes a pair)',
  );
  requireKey(privateKey, { half: 'private', setting: `--private-key (${keyFile})` });
  const waitMs = wholeNumber('--wait-seconds', values['wait-seconds']) * 1000;
  const graceMs = wholeNumber('--grace-seconds', values['grace-seconds']) * 1000;
  const keepDays = wholeNumber('--keep-days', values['keep-days'], { most: 36_500 });
  return {
    keepMs: keepDays === 0 ? Infinity : keepDays * DAY_MS,
    one: names && (await readOne(names, values.seed)),
    runs,
    privateKey,
    serving: await readServing(values),
    waitMs,
    graceMs,
    once,
    anySize: values['any-size'],
  };
}

/** Name and study file of the only run; undefined for a coordinator that is resident. */
function namesOfOne(values: {
  study?: string;
  run?: string;
  seed?: string;
  once: boolean;
}): { run: string; file: string } | undefined {
  const isOne = [values.study, values.run, values.seed].some((text) => text !== undefined) || values.once;
  if (!isOne) return undefined;
  const run = runFlag('--run', values.run);
  return { run, file: required('--study', values.study, 'a study file, such as studies/demo.json') };
}

async function readOne(
  { run, file }: { run: string; file: string },
  seed: string | undefined,
): Promise<CoordinatorSettings['one']> {
  const study = await readStudy(file);
  return { run, study: { ...study, seed: seed === undefined ? study.seed : wholeNumber('--seed', seed) } };
}
