/** Every published score as a line of `scores.jsonl` in the run's folder, with the seed and the rows that a replay needs. */
import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '../process/log.ts';
import type { GroupScore } from './score-messages.ts';

export interface ScoreLog {
  append(score: GroupScore, atMs: number): void;
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
  return {
    append: (score, atMs) => {
      if (!score.paper && !score.strict) return;
      const line = `${JSON.stringify(scoreRecord(score, atMs))}\n`;
      writing = writing
        .then(() => write(score.run, line))
        .catch((error: unknown) =>
          log.error({ err: error, run: score.run }, 'a score was not written to the run folder'),
        );
    },
    close: () => writing,
  };
}

function scoreRecord(score: GroupScore, atMs: number): object {
  const { type: _, drawable: __, group, ...rest } = score;
  const { source, target, direction, condition } = group;
  return { atMs, source, target, direction, condition, ...rest };
}
