/** Settings of `entrain coordinator`, checked before anything is started. */
import { parseArgs } from 'node:util';
import type { Study } from '../protocol/study.ts';
import { runFlag, required, wholeNumber } from '../process/flags.ts';
import { usageText } from '../process/usage.ts';
import { readSecretFile } from '../process/secret-file.ts';
import { readStudy } from '../process/run-folder/read-study.ts';
import { readServing, SERVE_FLAGS, type Serving } from '../transport/http/serve-flags.ts';
import { requireKey } from '../transport/stream/auth/signed-claims.ts';

export const FLAGS = {
  study: { type: 'string', value: 'FILE', about: 'the study to run' },
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
  once: { type: 'boolean', default: false, about: 'end when the study is done' },
  'any-size': { type: 'boolean', default: false, about: 'begin also where the recording may not fit' },
  ...SERVE_FLAGS,
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain coordinator --run NAME --study FILE --private-key FILE',
      about: 'Runs a study: finds the agents it names and gives them episodes. NATS_URL says where NATS is.',
    },
    FLAGS,
  );

export interface CoordinatorSettings {
  study: Study;
  run: string;
  runs: string;
  /** Ed25519 private key, PEM. */
  privateKey: string;
  serving: Serving;
  /** How long to wait for agents and analyzer. */
  waitMs: number;
  /** How long an agent with an episode may be away. */
  graceMs: number;
  once: boolean;
  /** Start even if the recording may not fit on the disk. */
  anySize: boolean;
}

export async function readSettings(argv: string[]): Promise<CoordinatorSettings> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const { runs, once } = values;
  const run = runFlag('--run', values.run);
  const studyFile = required('--study', values.study, 'a study file, such as studies/demo.json');
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
  const study = await readStudy(studyFile);
  const seed = values.seed === undefined ? study.seed : wholeNumber('--seed', values.seed);
  const waitMs = wholeNumber('--wait-seconds', values['wait-seconds']) * 1000;
  const graceMs = wholeNumber('--grace-seconds', values['grace-seconds']) * 1000;
  return {
    study: { ...study, seed },
    run,
    runs,
    privateKey,
    serving: await readServing(values),
    waitMs,
    graceMs,
    once,
    anySize: values['any-size'],
  };
}
