/** Arguments of `models try`. `--peer` and `--say` make a dialogue in the order in which they are given. */
import { EntrainError } from '../../protocol/errors.ts';
import { samplingSchema } from '../../protocol/study.ts';
import { wholeNumber } from '../../process/flags.ts';
import type { GraphChoice } from '../folder/find-graph.ts';
import type { TryOptions } from './try-model.ts';

export const TRY_FLAGS = {
  system: { type: 'string', default: '' },
  peer: { type: 'string', multiple: true },
  say: { type: 'string', multiple: true },
  'max-tokens': { type: 'string', default: '32' },
  temperature: { type: 'string' },
  seed: { type: 'string', default: '1' },
} as const;

/** The command line as `parseArgs` gives it, with its tokens. */
export interface TryLine {
  values: GraphChoice & {
    system: string;
    'max-tokens': string;
    temperature?: string | undefined;
    seed: string;
  };
  tokens: readonly { kind: string; name?: string; value?: string | undefined }[];
}

const MOST_TOKENS = 4096;
const MOST_SEED = 2 ** 32 - 1;
const CACHE_FOLDER = '.cache/models';

/** @throws EntrainError `USAGE` */
export function readTryArguments({ values, tokens }: TryLine, folder: string): TryOptions {
  const { temperature } = values;
  return {
    model: { folder, graph: values, provider: 'cpu', threads: 1, cacheFolder: CACHE_FOLDER },
    system: values.system,
    turns: tokens.flatMap(({ name, value }): TryOptions['turns'] => {
      if (value === undefined) return [];
      if (name === 'peer') return [{ who: 'peer', text: value }];
      return name === 'say' ? [{ who: 'self', text: value }] : [];
    }),
    maxTokens: wholeNumber('--max-tokens', values['max-tokens'], { least: 1, most: MOST_TOKENS }),
    sampling: samplingSchema.parse(
      temperature === undefined ? {} : { temperature: toTemperature(temperature) },
    ),
    seed: toSeed(values.seed),
  };
}

function toTemperature(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 5) return value;
  throw new EntrainError('USAGE', `--temperature is "${text}": expected a number from 0 to 5.`);
}

function toSeed(text: string): number {
  const value = Number(text);
  if (/^\d{1,10}$/.test(text) && value <= MOST_SEED) return value;
  throw new EntrainError('USAGE', `--seed is "${text}": expected a whole number from 0 to ${MOST_SEED}.`);
}
