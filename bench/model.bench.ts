/** The cost of tapping layers, listening and loading, as ratios measured in one process with one thread each. */
import { measureDecodeSpeed } from './model/decode-speed.ts';
import { measureLoadTime } from './model/load-time.ts';
import { measureReplyLatency } from './model/reply-latency.ts';
import { largeModel, smallestModel, type Subject } from './model/subjects.ts';

export const title = 'The model: taps, listening, loading';

interface Effort {
  subject: Subject;
  tokens: number;
  rounds: number;
}

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const efforts: Effort[] = [
    { subject: await smallestModel(), tokens: 48, rounds: 41 },
    { subject: await largeModel(), tokens: 24, rounds: 15 },
  ];
  const table = [['model', 'quantity', 'with', 'against', 'ratio', 'bar']];
  for (const effort of efforts) table.push(...(await rowsOf(effort)));
  return { table, notes: NOTES };
}

async function rowsOf({ subject, tokens, rounds }: Effort): Promise<string[][]> {
  const {
    tokensPerSecond: rate,
    ratios,
    copiedBytes,
  } = await measureDecodeSpeed(subject, { tokens, rounds });
  const reply = await measureReplyLatency(subject, rounds);
  const load = await measureLoadTime(subject, Math.min(rounds, 9));
  const speed = (value: number): string => `${value.toFixed(1)} tokens/s`;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const kilobytes = (value: number): string => `${(value / 1000).toFixed(1)} kB`;
  const ratio = (value: number): string => value.toFixed(2);
  const { name } = subject;
  return [
    [
      name,
      'all layers tapped and sent, against no taps',
      speed(rate.tapped),
      speed(rate.plain),
      ratio(ratios.tapped),
      '≥ 0.97',
    ],
    [
      name,
      'no taps, against transformers.js',
      speed(rate.plain),
      speed(rate.transformers),
      ratio(ratios.plain),
      '≥ 1.00',
    ],
    [
      name,
      'cache bytes copied a token at 256 tokens, against the whole cache',
      kilobytes(copiedBytes.cache),
      kilobytes(copiedBytes.wholeCache),
      ratio(copiedBytes.cache / copiedBytes.wholeCache),
      '',
    ],
    [
      name,
      'first token after listening, against prefill at the turn',
      ms(reply.listenedMs),
      ms(reply.prefillMs),
      ratio(reply.prefillMs / reply.listenedMs),
      '≥ 10',
    ],
    [
      name,
      'first token, counted from the last word, in decode steps',
      ms(reply.lastWordMs),
      ms(reply.stepMs),
      ratio(reply.lastWordMs / reply.stepMs),
      '≤ 3',
    ],
    [
      name,
      'loading with taps, against without',
      ms(load.tappedMs),
      ms(load.plainMs),
      ratio(load.ratio),
      '≤ 1.10',
    ],
  ];
}

const NOTES = [
  'CPU time (user and system, one thread). The things compared are run in turn within each round; ratios are medians over rounds of the ratio within a round, figures beside them medians. On an idle machine it is the time on the clock.',
  'Speeds: behind a prompt of 32 tokens, tokens one by one, each sent to another thread as it is spoken; with taps, its states in the same message. For 113 M parameters all sessions use the weights as they lie in their file, for two sessions that pack them differ by up to 15 % by the pages they get.',
  'After listening: from the message that an utterance is finished. It ends a sentence, so the prompt of the reply was computed when its last word came; counted from the last word, that pass is included.',
  'The utterance has 200 tokens; the prefill it is compared with is one pass over all of them, not the sum of chunks.',
  'Bytes that the binding copies into JavaScript’s memory; besides those of the cache, one row of logits and (layers + 1) × dims × 4 of states. A step gives its new rows; once in 64 tokens the whole cache is taken out.',
  'Loading: the second time, when the prepared graph is kept already.',
];
