/**
 * `entrain measure sync-r2 --run FOLDER`: every group of a recorded run, scored as the analyzer scores it live, with its seeds and as many draws
 * where no flag says otherwise; and every pair, the mean over its directions and speaking orders.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readRecording, streamsOf } from '../../journal/read-recording.ts';
import { EntrainError } from '../../protocol/errors.ts';
import type { LinearAlgebra } from '../../synchrony/types.ts';
import { emptyRunRows, selectRows, takeFrameRows, type RunRows } from '../group-rows.ts';
import { groupSeed } from '../score-group.ts';
import type { Json } from './answers.ts';
import type { MeasureFlags } from './arguments.ts';
import { measurePairs, memberOf, type MeasuredMember } from './pairs.ts';
import { LIVE, measureSyncR2, seedOf } from './sync-r2.ts';

export interface RunJob {
  name: string;
  flags: MeasureFlags;
  algebra: LinearAlgebra;
}

export async function measureRun(folder: string, { name, flags, algebra }: RunJob): Promise<Json> {
  if (name !== 'sync-r2') {
    throw new EntrainError(
      'USAGE',
      `--run works with sync-r2 alone; give ${name} its arrays with --a and --b`,
    );
  }
  const { book, groups } = await readGroups(folder);
  const answers: Json[] = [];
  const members: MeasuredMember[] = [];
  for (const rows of [...groups.values()].sort((x, y) => (x.group.key < y.group.key ? -1 : 1))) {
    const { source, target, direction, condition } = rows.group;
    const { pairs } = selectRows(rows, book);
    const about = { source_model: source.name, target_model: target.name, direction, condition };
    const fallbacks = { ...LIVE, seed: groupSeed(rows.group) };
    const measured = await measureSyncR2(pairs, { flags, fallbacks, algebra });
    answers.push({ ...about, ...measured.answer });
    members.push(memberOf(rows.group, { measured, seed: seedOf({ flags, fallbacks }), samples: pairs.n }));
  }
  return { groups: answers, pairs: measurePairs(members) };
}

async function readGroups(folder: string): Promise<RunRows> {
  await checkRun(folder);
  const run = emptyRunRows();
  for await (const { stream, epoch, message } of readRecording(folder)) {
    if (message.type !== 'episode' && message.type !== 'turn') continue;
    takeFrameRows(run, {
      type: 'frame',
      run: '',
      frame: message,
      origin: { stream, epoch, seq: message.seq },
    });
  }
  return run;
}

async function checkRun(folder: string): Promise<void> {
  const missing = (what: string, cause?: unknown): EntrainError =>
    new EntrainError('RUN_INVALID', `${what}; expected a run folder with its streams, check --run`, {
      cause,
    });
  const found = await stat(folder).catch((cause: unknown) => {
    throw missing(`there is no folder ${folder}`, cause);
  });
  if (!found.isDirectory()) throw missing(`${folder} is not a folder`);
  if ((await streamsOf(folder)).length === 0) throw missing(`${join(folder, 'streams')} holds no recording`);
}
