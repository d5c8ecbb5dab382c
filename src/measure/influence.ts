/**
 * `entrain measure influence --run FOLDER`: influence and matched SyncR² of every group of a recorded run whose turns
 * have branched, from the same histories and with the same seed and draws as the analyzer's, so the figures are those
 * of `scores.jsonl`.
 */
import { branchAnswer } from '../analyzer/branches/branch-answer.ts';
import { createBranchIndex } from '../analyzer/branches/branch-index.ts';
import { scoreBranches } from '../analyzer/branches/score-branches.ts';
import type { Group } from '../analyzer/ingest/episode-index.ts';
import { readRecording } from '../journal/read-recording.ts';
import { EntrainError } from '../protocol/errors.ts';
import { systemClock } from '../process/clock.ts';
import { historiesOf, indexBranches } from '../recordings/replay-branches.ts';
import { BRANCH_METHOD } from '../synchrony/branches/matched.ts';
import type { Json } from './answers.ts';
import { checkRun, type RunJob } from './run-folder.ts';

export async function measureInfluence(
  folder: string,
  { algebra, say }: Pick<RunJob, 'algebra' | 'say'>,
): Promise<Json> {
  say('reading the recording');
  await checkRun(folder);
  const index = createBranchIndex();
  for await (const recorded of readRecording(folder)) indexBranches(index, recorded);
  const groups = [...historiesOf(index).values()].sort((a, b) => (a.group.key < b.group.key ? -1 : 1));
  if (groups.length === 0)
    throw new EntrainError(
      'RUN_INVALID',
      `The recording in ${folder} holds no turn that branched: expected a study with "branches", whose listeners have heard the alternatives.`,
    );
  const answers: Json[] = [];
  const nowMs = (): number => systemClock.monotonicMs();
  for (const [at, histories] of groups.entries()) {
    const { condition, direction } = histories.group;
    say(`group ${at + 1} of ${groups.length}: ${condition}, ${direction}`);
    const { branches } = await scoreBranches({ run: '', histories, algebra, nowMs });
    answers.push({ ...about(histories.group), ...branchAnswer(branches) });
  }
  return { method: `${BRANCH_METHOD.name} ${BRANCH_METHOD.version}`, groups: answers };
}

const about = ({ condition, direction, source, target, agents, sourceRole, targetRole }: Group): Json => ({
  condition,
  direction,
  source_model: source.name,
  target_model: target.name,
  agents,
  source_role: sourceRole,
  target_role: targetRole,
});
