/** Many conversations in one pass: what dialogues that share passes gain, as ratios taken in one run with one thread. */
import { measureSharedPasses } from './model/shared-passes.ts';
import { largeModel, largestModel, type Subject } from './model/subjects.ts';

export const title = 'Many conversations in one pass';

interface Effort {
  subject: Subject | undefined;
  rounds: number;
  counts: readonly number[];
}

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const table = [['model', 'dialogues', 'tokens/s together', 'against one with passes of its own', 'bar']];
  const efforts: Effort[] = [
    { subject: await largestModel(), rounds: 7, counts: [1, 2, 4, 8, 16] },
    { subject: await largeModel(), rounds: 3, counts: [1, 4, 8] },
  ];
  for (const effort of efforts) table.push(...(await rowsOf(effort)));
  return { table, notes: NOTES };
}

async function rowsOf({ subject, rounds, counts }: Effort): Promise<string[][]> {
  if (!subject) return [];
  const { own, shared, rowsPerPass } = await measureSharedPasses(subject, { tokens: 24, rounds, counts });
  const speed = (value: number): string => value.toFixed(0);
  const bars: Readonly<Record<number, string>> = { 1: '≥ 0.98', 8: '≥ 2.5' };
  return [
    [subject.name, '1, passes of its own', speed(own), '1.00', ''],
    ...shared.map(({ dialogues, tokensPerSecond, ratio }) => [
      subject.name,
      String(dialogues),
      speed(tokensPerSecond),
      ratio.toFixed(2),
      bars[dialogues] ?? '',
    ]),
    [subject.name, 'a pass may take', String(rowsPerPass), '', ''],
  ];
}

const NOTES = [
  'Decode steps of one token behind 110 to 205 cached ones, every layer tapped; processor time, so that other work on the machine does not blur the ratios.',
  'Every dialogue’s logits and states are bit for bit those of a pass of its own: `test/unit/model/shared-passes.test.ts`.',
];
