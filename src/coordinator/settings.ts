/** Settings of `entrain coordinator`, checked before anything is started. */
import { parseArgs } from 'node:util';
import { EntrainError } from '../protocol/errors.ts';
import { joinKeysSchema, type JoinKeys } from '../protocol/join-messages.ts';
import { parseMessage } from '../protocol/nats-messages.ts';
import type { Study } from '../protocol/study.ts';
import { runFlag, required, wholeNumber } from '../process/flags.ts';
import { usageText } from '../process/usage.ts';
import { readSecretFile } from '../process/secret-file.ts';
import { readStudy } from '../process/run-folder/read-study.ts';
import { readServing, SERVE_FLAGS, type Serving } from '../transport/http/serve-flags.ts';
import { requireKey } from '../transport/stream/auth/signed-claims.ts';

const MINUTE_MS = 60_000;
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
    about:
      'how long the service knows a finished run, and NATS keeps what was said in it; its folder stays; 0: for ever',
  },
  'submitter-runs': {
    type: 'string',
    default: '100',
    value: 'N',
    about: 'how many runs of one submitter may wait or run at a time',
  },
  'join-keys': {
    type: 'string',
    value: 'FILE',
    about: 'by what machines are let in, as "entrain serve" writes it; of mode 0600',
  },
  'credential-minutes': {
    type: 'string',
    default: '1440',
    value: 'N',
    about: 'how long that holds by which an agent that joined connects; it is renewed at half',
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
  /** How many runs of one submitter may wait or run at a time. */
  submitterRuns: number;
  /** By what a resident coordinator lets machines in. */
  joinKeys: JoinKeys | undefined;
  /** How long what an agent connects with holds. */
  credentialMs: number;
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
  const keepDays = daysFlag(values['keep-days']);
  return {
    keepMs: keepDays === 0 ? Infinity : keepDays * DAY_MS,
    one: names && (await readOne(names, values.seed)),
    runs,
    privateKey,
    serving: await readServing(values),
    waitMs,
    graceMs,
    submitterRuns: wholeNumber('--submitter-runs', values['submitter-runs'], { least: 1 }),
    joinKeys: await readJoinKeys(values['join-keys']),
    credentialMs: wholeNumber('--credential-minutes', values['credential-minutes'], { least: 1 }) * MINUTE_MS,
    once,
    anySize: values['any-size'],
  };
}

/** Days, or a part of a day. */
function daysFlag(text: string): number {
  if (/^\d{1,5}(\.\d{1,4})?$/.test(text)) return Number(text);
  throw new EntrainError('USAGE', `--keep-days is "${text}": expected a number of days, such as 30 or 0.5.`);
}

async function readJoinKeys(file: string | undefined): Promise<JoinKeys | undefined> {
  if (file === undefined) return undefined;
  const text = await readSecretFile('--join-keys', file, 'the keys that "entrain serve" writes');
  return parseMessage(joinKeysSchema, text, { code: 'CONFIG_INVALID', what: `--join-keys (${file})` });
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
