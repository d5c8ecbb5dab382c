/** The flags of `entrain agent`. */
import { parseArgs } from 'node:util';
import { atOnceFlag, cacheMbFlag, nameFlag, required, threadsFlag, wholeNumber } from '../process/flags.ts';
import { usageText } from '../process/usage.ts';
import { readServing, SERVE_FLAGS } from '../transport/http/serve-flags.ts';
import { readAuthority } from '../transport/http/tls.ts';
import { prefixBytes } from './episodes-at-once.ts';
import { readProvider } from './provider-flag.ts';

export const FLAGS = {
  id: { type: 'string', value: 'NAME', about: 'name of this agent' },
  model: { type: 'string', value: 'DIR', about: 'decoder folder as found on the hub' },
  dtype: {
    type: 'string',
    value: 'NAME',
    about: 'which of its graphs: fp32, fp16, q8, int8, uint8, q4, q4f16 or bnb4',
  },
  file: { type: 'string', value: 'FILE', about: 'the same by the name of its file' },
  provider: { type: 'string', default: 'cpu', value: 'NAME', about: 'cpu, webgpu, cuda, coreml or dml' },
  device: { type: 'string', value: 'N', about: 'which of several GPUs, for cuda and dml' },
  threads: { type: 'string', default: '1', value: 'N', about: 'of the model' },
  'at-once': {
    type: 'string',
    value: 'N',
    about:
      'how many episodes it may play at once (8 for each processor, at most 16; 2 where its graph cannot share passes)',
  },
  'cache-mb': {
    type: 'string',
    value: 'N',
    about: 'memory for keys and values, by which episodes are admitted (an eighth of the machine’s)',
  },
  data: {
    type: 'string',
    default: 'runs/spool',
    value: 'DIR',
    about: 'where frames wait until they are recorded',
  },
  'spool-mb': {
    type: 'string',
    default: '512',
    value: 'N',
    about: 'how much may wait before the agent pauses',
  },
  cache: { type: 'string', default: '.cache/models', value: 'DIR', about: 'where graphs with taps are kept' },
  'sentence-encoder': {
    type: 'string',
    value: 'DIR',
    about: 'encoder folder as found on the hub, for the text features',
  },
  'share-weights': {
    type: 'boolean',
    default: false,
    about: 'map the weights into memory that several agents share',
  },
  'leave-after-seconds': {
    type: 'string',
    default: '900',
    value: 'N',
    about: 'how long it stays in a run whose coordinator is gone',
  },
  'tls-ca': { type: 'string', value: 'FILE', about: 'whose certificates are believed at the analyzer' },
  ...SERVE_FLAGS,
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain agent --id NAME --model DIR',
      about:
        'One agent: waits to be invited into runs. NATS_URL says where NATS is. How it speaks is set in the study: ' +
        'maxTokens, seed and sampling with temperature, topK, topP, minP, repetitionPenalty and stops.',
    },
    FLAGS,
  );

export type Settings = Awaited<ReturnType<typeof readSettings>>;

export async function readSettings(argv: string[]) {
  const { values } = parseArgs({ args: argv, options: FLAGS, strict: true });
  const cacheMb = cacheMbFlag(values['cache-mb']);
  return {
    id: nameFlag('--id', values.id),
    serving: await readServing(values),
    /** Certificate authority for an analyzer with TLS (`wss:`). */
    tlsCa: await readAuthority('--tls-ca', values['tls-ca']),
    data: values.data,
    spoolMb: wholeNumber('--spool-mb', values['spool-mb']),
    leaveMs: wholeNumber('--leave-after-seconds', values['leave-after-seconds']) * 1000,
    asked: { atOnce: atOnceFlag(values['at-once']), cacheMb },
    model: {
      folder: required('--model', values.model, 'the folder of a model'),
      graph: { dtype: values.dtype, file: values.file },
      threads: threadsFlag(values.threads),
      cacheFolder: values.cache,
      shareWeights: values['share-weights'],
      prefixBytes: prefixBytes(cacheMb),
      ...(values['sentence-encoder'] === undefined ? {} : { sentenceEncoder: values['sentence-encoder'] }),
      ...readProvider(values),
    },
  };
}
