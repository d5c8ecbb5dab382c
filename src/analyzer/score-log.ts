/** Every published score as a line of `scores.jsonl` in the run's folder, with the seed and the rows that a replay needs. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../process/log.ts';
import type { Group } from './episode-book.ts';
import { stepRecord } from './steps/step-record.ts';
import type { StepScore } from './steps/step-messages.ts';
import type { BesideScore, GroupScore, PointScore } from './score-messages.ts';

export interface ScoreLog {
  append(score: GroupScore, atMs: number): void;
  /** A turn's addition to a score, or what stands beside it. */
  appendPart(part: PointScore | BesideScore, atMs: number): void;
  /** What the window of one dyad's steps gave; nothing with too few. */
  appendSteps(score: StepScore, atMs: number): void;
  /** Settles when everything appended so far is written. */
  close(): Promise<void>;
}

export function createScoreLog(runsFolder: string, log: Logger): ScoreLog {
  let writing = Promise.resolve();
  const write = async (run: string, line: string): Promise<void> => {
    const folder = join(runsFolder, run);
    await mkdir(folder, { recursive: true });
    await appendFile(join(folder, 'scores.jsonl'), line);
  };
  const add = (run: string, record: object): void => {
    const line = `${JSON.stringify(record)}\n`;
    writing = writing
      .then(() => write(run, line))
      .catch((error: unknown) => log.error({ err: error, run }, 'a score was not written to the run folder'));
  };
  return {
    append: (score, atMs) => {
      if (score.paper || score.strict) add(score.run, scoreRecord(score, atMs));
    },
    appendPart: (part, atMs) => add(part.run, { atMs, ...part }),
    appendSteps: (score, atMs) => {
      if (Object.keys(score.figures).length > 0) add(score.run, stepRecord(score, atMs));
    },
    close: () => writing,
  };
}

function namesOf({ key, ...names }: Group): object {
  return { group: key, ...names };
}

function scoreRecord(score: GroupScore, atMs: number): object {
  const { drawable: _, group, ...rest } = score;
  return { atMs, ...namesOf(group), ...rest };
}
