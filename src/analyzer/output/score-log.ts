/**
 * Every published score as a line of `scores.jsonl` in the run's folder, with the seed and the rows that a replay needs. A line says whether it
 * is provisional: only what is written when the run has ended, with all that was recorded in it, is not.
 */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../../process/log.ts';
import type { Group } from '../ingest/episode-index.ts';
import { stepRecord } from '../steps/step-record.ts';
import type { StepScore } from '../steps/step-messages.ts';
import type { BesideScore, GroupScore, PairScore, PointScore } from '../scoring/messages.ts';

export interface Stamp {
  atMs: number;
  provisional: boolean;
}

export interface ScoreLog {
  append(score: GroupScore, stamp: Stamp): void;
  /** A turn's addition to a score, what stands beside it, or what the scores of both directions give. */
  appendPart(part: PointScore | BesideScore | PairScore, stamp: Stamp): void;
  /** What the window of one dyad's steps gave; nothing with too few. One dyad is never a result. */
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
    append: (score, stamp) => {
      if (score.paper || score.strict) add(score.run, scoreRecord(score, stamp));
    },
    appendPart: (part, stamp) => add(part.run, { ...stamp, ...part }),
    appendSteps: (score, atMs) => {
      if (Object.keys(score.figures).length > 0)
        add(score.run, { ...stepRecord(score, atMs), provisional: true });
    },
    close: () => writing,
  };
}

function namesOf({ key, ...names }: Group): object {
  return { group: key, ...names };
}

function scoreRecord(score: GroupScore, stamp: Stamp): object {
  const { drawable: _, group, ...rest } = score;
  return { ...stamp, ...namesOf(group), ...rest };
}
