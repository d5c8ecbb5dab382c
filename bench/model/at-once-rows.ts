/** Rows of the benchmarks of several dialogues in one pass, as ratios measured in one process with one thread. */
import { countCopiedBytes } from './copied-bytes.ts';
import { measureBatchedGenerate } from './batched-generate.ts';
import { measureSharedPasses } from './shared-passes.ts';
import type { Subject } from './subjects.ts';
import { measureTalk } from './talk-at-once.ts';

interface Effort {
  rounds: number;
  /** Numbers of dialogues. */
  counts: readonly number[];
}

const HEAD = ['model', 'quantity', 'measured', 'ratio', 'bar'];

/** @returns a table with its head */
export async function measureAtOnce(subject: Subject, effort: Effort): Promise<string[][]> {
  return [
    HEAD,
    ...(await decodeRows(subject, effort)),
    ...(await copyRows(subject)),
    ...(await talkRows(subject, effort)),
  ];
}

const speed = (value: number): string => `${value.toFixed(0)} tokens/s`;
const BARS: Readonly<Record<number, string>> = { 1: '≥ 0.98' };

async function decodeRows(subject: Subject, { rounds, counts }: Effort): Promise<string[][]> {
  const { name } = subject;
  const found = await measureSharedPasses(subject, { tokens: 24, rounds, counts });
  const theirs = await measureBatchedGenerate(subject, { tokens: 24, rounds, counts: [1, 8] });
  return [
    [name, 'dialogues that a pass may take', String(found.rowsPerPass), '', ''],
    [name, 'decode, one dialogue, passes of its own', speed(found.own), '1.00', ''],
    ...found.shared.map(({ dialogues, tokensPerSecond, ratio }) => [
      name,
      `decode, ${dialogues} at once, against passes of its own`,
      speed(tokensPerSecond),
      ratio.toFixed(2),
      BARS[dialogues] ?? '',
    ]),
    [name, 'decode, 8 at once, against 1 at once', '', found.eightByOne.toFixed(2), '≥ 2.5'],
    ...theirs.map(({ dialogues, tokensPerSecond }) => [
      name,
      `transformers.js, generate over ${dialogues}, logits alone, by our ${dialogues}`,
      speed(tokensPerSecond),
      (
        (found.shared.find((one) => one.dialogues === dialogues)?.tokensPerSecond ?? NaN) / tokensPerSecond
      ).toFixed(2),
      '',
    ]),
  ];
}

async function copyRows(subject: Subject): Promise<string[][]> {
  const [one, eight] = await countCopiedBytes(subject, [1, 8]);
  const kilobytes = (bytes = Number.NaN): string => `${(bytes / 1000).toFixed(1)} kB`;
  const ratio = (eight?.bytes ?? Number.NaN) / (one?.bytes ?? Number.NaN);
  return [
    [subject.name, 'cache bytes copied a token, one dialogue', kilobytes(one?.bytes), '1.00', ''],
    [
      subject.name,
      'cache bytes copied a token, 8 dialogues at once',
      kilobytes(eight?.bytes),
      ratio.toFixed(2),
      '≤ 2',
    ],
  ];
}

async function talkRows(subject: Subject, { rounds }: Effort): Promise<string[][]> {
  const { name } = subject;
  const talk = await measureTalk(subject, { dialogues: 8, maxTokens: 24, rounds: Math.ceil(rounds / 2) });
  const { one, together } = talk.tokensPerSecond;
  return [
    [name, 'whole turns, one dialogue', speed(one), '1.00', ''],
    [name, 'whole turns, 8 dialogues at once', speed(together), talk.ratio.toFixed(2), '≥ 2'],
    [
      name,
      'passes from taking a turn to its first token, 8 at once, 99 %',
      String(talk.firstTokenPasses),
      '',
      '≤ 4',
    ],
    [
      name,
      'a turn with three alternatives, by the mean of the four said alone',
      '',
      talk.branches.withoutReadings.toFixed(2),
      '≤ 2.3',
    ],
    [name, 'the same with the bystander’s readings of the four', '', talk.branches.whole.toFixed(2), ''],
  ];
}

export const NOTES = [
  'Decode steps of one token behind 110 to 205 cached ones, every layer tapped. Whole turns: 13 to 17 tokens heard in chunks of 8 and up to 24 sampled, every layer of every step passed on; three alternatives include the longest of the four; the bystander’s readings are timed by themselves and taken off.',
  'Processor time, so that other work on the machine does not blur the ratios. transformers.js gives logits and no states, and its rows depend on their neighbours.',
  'Every dialogue’s logits and states are bit for bit those of a pass of its own: `test/unit/model/shared-passes.test.ts`.',
];
