/** Flags of `entrain analyzer`. */
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { EntrainError } from '../protocol/errors.ts';
import { readServing, SERVE_FLAGS, type Serving } from '../transport/http/serve-flags.ts';
import { requireKey } from '../transport/stream/auth/signed-claims.ts';
import { parseStepMeasures, STEP_MEASURES } from './steps/step-measures.ts';
import { nameFlag, required, wholeNumber } from '../process/flags.ts';
import { machineBytes } from '../process/machine-memory.ts';
import { usageText } from '../process/usage.ts';

export interface Settings {
  id: string;
  runsFolder: string;
  publicKeyPem: string;
  serving: Serving;
  certFile: string | undefined;
  /** Recordings of a run take no more frames above this size. */
  maxRunBytes: number;
  /** Streams of one agent take no more frames above this size. */
  maxAgentBytes: number;
  /** Above this size recordings of finished runs are removed, oldest first; undefined if none is ever removed. */
  budgetBytes: number | undefined;
  /** Bytes that the rows of all groups together may take. */
  memoryBytes: number;
  /** How long a finished run that is silent stays in memory. */
  forgetAfterMs: number;
  /** Whether to announce itself on NATS. Otherwise agents must be told its address. */
  nats: boolean;
  /** Names of measures between aligned steps, separated by commas. */
  stepMeasures: string;
}

export const FLAGS = {
  id: { type: 'string', default: 'analyzer', value: 'NAME', about: 'name of this analyzer' },
  runs: { type: 'string', default: 'runs', value: 'DIR', about: 'where recordings are kept' },
  'public-key': { type: 'string', value: 'FILE', about: 'checks stream tokens' },
  'max-run-gb': {
    type: 'string',
    default: '50',
    value: 'N',
    about: 'a run’s recording takes no frames above it',
  },
  'max-agent-gb': {
    type: 'string',
    value: 'N',
    about: 'what one agent may record of a run; without it half of --max-run-gb',
  },
  'step-measures': {
    type: 'string',
    default: STEP_MEASURES,
    value: 'NAMES',
    about: 'measures between aligned steps, with commas; empty: none',
  },
  'budget-gb': { type: 'string', value: 'N', about: 'what all recordings may take; the oldest finished go' },
  'memory-gb': {
    type: 'string',
    value: 'N',
    about: 'what the rows of all groups may take; without it half of the machine',
  },
  'forget-hours': {
    type: 'string',
    default: '24',
    value: 'N',
    about: 'how long the figures of a finished run stay in memory; its files stay',
  },
  'no-nats': {
    type: 'boolean',
    default: false,
    about: 'do not announce itself: agents are told its address',
  },
  ...SERVE_FLAGS,
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain analyzer --public-key FILE',
      about: 'Records activation streams and computes synchrony. NATS_URL says where NATS is.',
    },
    FLAGS,
  );

/** @throws EntrainError `USAGE`, `CONFIG_INVALID`; errors of `parseArgs` are reported by the command line */
export async function readSettings(argv: string[]): Promise<Settings> {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const keyFile = required('--public-key', values['public-key'], 'the file of the coordinator’s public key');
  parseStepMeasures(values['step-measures']);
  const maxRunBytes = wholeNumber('--max-run-gb', values['max-run-gb']) * 1e9;
  return {
    id: nameFlag('--id', values.id),
    runsFolder: values.runs,
    publicKeyPem: await readKey(keyFile),
    serving: await readServing(values),
    certFile: values['tls-cert'],
    maxRunBytes,
    maxAgentBytes:
      values['max-agent-gb'] === undefined
        ? maxRunBytes / 2
        : gigabytes('--max-agent-gb', values['max-agent-gb']),
    budgetBytes:
      values['budget-gb'] === undefined ? undefined : gigabytes('--budget-gb', values['budget-gb']),
    memoryBytes:
      values['memory-gb'] === undefined ? machineBytes() / 2 : gigabytes('--memory-gb', values['memory-gb']),
    forgetAfterMs: positive('--forget-hours', values['forget-hours'], 'hours') * 3_600_000,
    nats: !values['no-nats'],
    stepMeasures: values['step-measures'],
  };
}

const gigabytes = (flag: string, text: string): number => positive(flag, text, 'gigabytes') * 1e9;

/** A number of something, also fractions such as 0.5. */
function positive(flag: string, text: string, unit: string): number {
  if (/^\d{1,6}(\.\d{1,9})?$/.test(text)) return Number(text);
  throw new EntrainError('USAGE', `${flag} is "${text}": expected ${unit} as a number, such as 200 or 0.5.`);
}

async function readKey(file: string): Promise<string> {
  const pem = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new EntrainError(
      'CONFIG_INVALID',
      `--public-key cannot be read (${file}): expected the file stream-public.pem that "entrain keys DIR" writes.`,
      { cause },
    );
  });
  return requireKey(pem, { half: 'public', setting: `--public-key (${file})` });
}
