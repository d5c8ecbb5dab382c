/** A run folder of simulated dialogues, recorded by the journal itself, with the scores that the analyzer publishes of it. */
import { join } from 'node:path';
import { createOrtAlgebra } from '../src/compute/ort-algebra.ts';
import { createScoreLog } from '../src/analyzer/score-log.ts';
import { emptyRunRows, selectRows, takeFrameRows } from '../src/analyzer/group-rows.ts';
import { scoreGroup } from '../src/analyzer/score-group.ts';
import type { GroupScore } from '../src/analyzer/score-messages.ts';
import { openRecording } from '../src/journal/recording.ts';
import { readRecording } from '../src/journal/read-recording.ts';
import { encodeMessage } from '../src/protocol/codec.ts';
import { plantedEpisodes, type PlantedOptions } from './planted-frames.ts';
import { silentLog } from './stream-fixture.ts';

export const AS_SMALL_AS_SCORES_GO: Omit<PlantedOptions, 'run'> = {
  scenarios: 6,
  episodesPerScenario: 4,
  turns: 13,
  layers: 2,
  dims: 8,
  textDims: 4096,
  conditions: ['live'],
  coupling: 0.8,
  seed: 1,
};

/** @returns the folder of the run */
export async function recordPlantedRun(runs: string, options: PlantedOptions): Promise<string> {
  const folder = join(runs, options.run);
  const recording = await openRecording({ folder, log: silentLog });
  const episodes = plantedEpisodes(options);
  for (const [role, agent] of ['ada', 'ben'].entries()) {
    const stream = await recording.stream(agent);
    const frames = episodes.flatMap(({ streams }) => streams[role as 0 | 1]);
    const batch = frames.map((frame, seq) => ({ seq, bytes: encodeMessage({ ...frame, seq }) }));
    await stream.append(1, batch);
  }
  await recording.close();
  return folder;
}

/** Scores every group as the analyzer does and writes what it publishes. */
export async function publishScores(runs: string, run: string): Promise<GroupScore[]> {
  const rows = emptyRunRows();
  for await (const { stream, epoch, message } of readRecording(join(runs, run)))
    if (message.type === 'episode' || message.type === 'turn')
      takeFrameRows(rows, {
        type: 'frame',
        run,
        frame: message,
        origin: { stream, epoch, seq: message.seq },
      });
  const algebra = await createOrtAlgebra({ threads: 1 });
  const log = createScoreLog(runs, silentLog);
  const scores: GroupScore[] = [];
  for (const group of rows.groups.values()) {
    const selection = selectRows(group, rows.book);
    scores.push(await scoreGroup({ run, group, selection, algebra, nowMs: () => 0 }));
  }
  for (const score of scores) log.append(score, { atMs: 0, provisional: false });
  await log.close();
  await algebra.close();
  return scores;
}
