/** What taps, listening and loading cost, as ratios taken in one run with one thread each. */
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
    { subject: await smallestModel(), tokens: 128, rounds: 11 },
    { subject: await largeModel(), tokens: 24, rounds: 5 },
  ];
  const table = [['model', 'quantity', 'with', 'against', 'ratio', 'bar']];
  for (const effort of efforts) table.push(...(await rowsOf(effort)));
  return { table, notes: NOTES };
}

async function rowsOf({ subject, tokens, rounds }: Effort): Promise<string[][]> {
  const { tokensPerSecond: rate } = await measureDecodeSpeed(subject, { tokens, rounds });
  const reply = await measureReplyLatency(subject, rounds);
  const load = await measureLoadTime(subject, Math.min(rounds, 7));
  const speed = (value: number): string => `${value.toFixed(1)} tokens/s`;
  const ms = (value: number): string => `${value.toFixed(1)} ms`;
  const ratio = (value: number): string => value.toFixed(2);
  const { name } = subject;
  return [
    [
      name,
      'all layers tapped and sent, against no taps',
      speed(rate.tapped),
      speed(rate.plain),
      ratio(rate.tapped / rate.plain),
      '≥ 0.97',
    ],
    [
      name,
      'no taps, against transformers.js',
      speed(rate.plain),
      speed(rate.transformers),
      ratio(rate.plain / rate.transformers),
      '≥ 1.00',
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
      ratio(load.tappedMs / load.plainMs),
      '≤ 1.10',
    ],
  ];
}

const NOTES = [
  'Medians of CPU time (user and system, one thread); the things compared are run in turn within each round. On an idle machine it is the time on the clock.',
  'After listening: from the message that an utterance is finished. It ends a sentence, so the prompt of the reply was computed when its last word came; counted from the last word, that pass is included.',
  'The utterance has 200 tokens; the prefill it is compared with is one pass over all of them, not the sum of chunks.',
  'Bytes copied through JavaScript per token: the states that are streamed ((layers + 1) × dims × 4) and one row of logits; keys and values: none. ' +
    'Graphs that grow their cache by Concat copy it inside the runtime; with GroupQueryAttention one buffer is past and present and nothing is copied.',
];
