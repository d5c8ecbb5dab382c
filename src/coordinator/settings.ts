/** What `entrain coordinator` was asked to do, checked before anything is started. */
import { parseArgs } from 'node:util';
import type { Study } from '../protocol/study.ts';
import { runFlag, required, wholeNumber } from '../process/flags.ts';
import { readSecretFile } from '../process/secret-file.ts';
import { readStudy } from '../process/read-study.ts';
import { HTTP_FLAGS, readHttpToken } from '../transport/http-access.ts';
import { readServerTls, TLS_FLAGS, type ServerTls } from '../transport/tls.ts';

const FLAGS = {
  study: { type: 'string' },
  run: { type: 'string' },
  runs: { type: 'string', default: 'runs' },
  'private-key': { type: 'string' },
  host: { type: 'string', default: '127.0.0.1' },
  port: { type: 'string', default: '0' },
  seed: { type: 'string' },
  'wait-seconds': { type: 'string', default: '60' },
  'grace-seconds': { type: 'string', default: '60' },
  once: { type: 'boolean', default: false },
  'any-size': { type: 'boolean', default: false },
  ...TLS_FLAGS,
  ...HTTP_FLAGS,
} as const;

export interface CoordinatorSettings {
  study: Study;
  run: string;
  runs: string;
  /** PEM, Ed25519. */
  privateKey: string;
  host: string;
  port: number;
  tls: ServerTls | undefined;
  httpToken: string | undefined;
  /** How long to wait for the fleet to be there. */
  waitMs: number;
  /** How long an agent with an episode may be away. */
  graceMs: number;
  once: boolean;
  /** Begins also where the recording may not fit. */
  anySize: boolean;
}

export async function readSettings(argv: string[]): Promise<CoordinatorSettings> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const { runs, host, once } = values;
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
  const study = await readStudy(studyFile);
  const seed = values.seed === undefined ? study.seed : wholeNumber('--seed', values.seed);
  const waitMs = wholeNumber('--wait-seconds', values['wait-seconds']) * 1000;
  const graceMs = wholeNumber('--grace-seconds', values['grace-seconds']) * 1000;
  return {
    study: { ...study, seed },
    run,
    runs,
    privateKey,
    host,
    port: wholeNumber('--port', values.port),
    tls: await readServerTls(values),
    httpToken: await readHttpToken(values['http-token-file']),
    waitMs,
    graceMs,
    once,
    anySize: values['any-size'],
  };
}
