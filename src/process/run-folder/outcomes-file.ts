/**
 * `outcomes.jsonl` of a run folder: read, and written whole with new lines in the place of older ones about the same.
 */
import { join } from 'node:path';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { outcomeLineSchema, type OutcomeLine } from '../../protocol/outcomes.ts';
import { writeAtomic } from '../write-atomic.ts';
import { readLines } from './read-lines.ts';

const FILE = 'outcomes.jsonl';

/**
 * @returns no line where the file is not there
 * @throws EntrainError `RUN_INVALID` naming the line
 */
export async function readOutcomes(folder: string): Promise<OutcomeLine[]> {
  const check = (line: string): OutcomeLine =>
    parseMessage(outcomeLineSchema, line, { code: 'RUN_INVALID', what: 'It' });
  return (await readLines(join(folder, FILE), check)) ?? [];
}

/**
 * An outcome takes the place of one of the same episode, agent, name, source and judge; it ends that its episode counts
 * as unscored by that judge. What is not spoken of stays.
 */
export function mergeOutcomes(known: readonly OutcomeLine[], added: readonly OutcomeLine[]): OutcomeLine[] {
  const lines = new Map(known.map((line) => [keyOf(line), line]));
  for (const line of added) {
    if (line.type === 'outcome' && line.judge)
      lines.delete(keyOf({ ...line, type: 'unscored', source: 'judge', judge: line.judge, reason: '' }));
    const key = keyOf(line);
    // An episode that has a judge's values keeps them when the judge fails later.
    if (line.type === 'unscored' && [...lines.values()].some((other) => isValueBy(other, line))) continue;
    lines.delete(key);
    lines.set(key, line);
  }
  return [...lines.values()];
}

export function writeOutcomes(folder: string, lines: readonly OutcomeLine[]): Promise<void> {
  return writeAtomic(join(folder, FILE), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
}

function keyOf(line: OutcomeLine): string {
  const { type, episode, source, judge } = line;
  const whose = type === 'outcome' ? [line.agent, line.name] : [];
  return JSON.stringify([type, episode, source, judge?.model, judge?.promptSha256, ...whose]);
}

function isValueBy(line: OutcomeLine, of: Extract<OutcomeLine, { type: 'unscored' }>): boolean {
  return (
    line.type === 'outcome' &&
    line.episode === of.episode &&
    line.judge?.model === of.judge.model &&
    line.judge.promptSha256 === of.judge.promptSha256
  );
}
