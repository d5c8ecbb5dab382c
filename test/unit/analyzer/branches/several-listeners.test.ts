/** Branches of a dialogue of four: each listener is a target of its own, with its own influence. */
import { describe, expect, it } from 'vitest';
import { createBranchIndex } from '../../../../src/analyzer/branches/branch-index.ts';
import { scoreBranches } from '../../../../src/analyzer/branches/score-branches.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import type { BranchReport } from '../../../../src/protocol/reports/branch-report.ts';
import type { BranchFrame, EpisodeFrame } from '../../../../src/protocol/stream/frames.ts';
import { historiesOf } from '../../../../src/recordings/replay-branches.ts';
import { plantedBranchFrames } from '../../../fixtures/planted/planted-branch-frames.ts';

const ORDER = ['ada', 'ben', 'cid', 'dan'];
const WORLD = {
  run: 'r1',
  condition: 'live',
  kind: 'moved',
  seed: 5,
  scenarios: 6,
  episodes: 2,
  turns: 3,
  alternatives: 4,
  dims: 6,
  layers: 1,
} as const;

type Frame = EpisodeFrame | BranchFrame;

/** Of every second turn of two speakers a turn of four, in which the role `first` speaks. */
function amongFour(frame: Frame, { role, first }: { role: number; first: number }): Frame {
  if (frame.type === 'branch') return { ...frame, turn: 2 * frame.turn + first };
  const model = frame.models[0] as EpisodeFrame['models'][number];
  return { ...frame, order: ORDER, role, models: ORDER.map(() => model) };
}

/**
 * One speaks; the next is moved, the one behind it hears nothing, and the last is moved by somebody else's words.
 * @param first the role of who speaks
 */
function streams(first: number): Frame[][] {
  const [ada, ben] = plantedBranchFrames(WORLD);
  const [, other] = plantedBranchFrames({ ...WORLD, seed: 77 });
  const said = new Map(
    ben.flatMap((frame) =>
      frame.type === 'branch' && frame.k === 0 ? [[`${frame.episode} ${frame.turn}`, frame]] : [],
    ),
  );
  const deaf = ben.map((frame) => {
    if (frame.type === 'episode') return frame;
    const { data, crc32 } = said.get(`${frame.episode} ${frame.turn}`) ?? frame;
    return { ...frame, data, crc32 };
  });
  const seated = [ada, ben, deaf, other].map((frames, at) => ({ frames, role: (first + at) % 4 }));
  return ORDER.map((_, role) => {
    const { frames = [] } = seated.find((one) => one.role === role) ?? {};
    return frames.map((frame) => amongFour(frame, { role, first }));
  });
}

async function reports(all: readonly Frame[][]): Promise<Map<string, BranchReport>> {
  const index = createBranchIndex();
  for (const [role, frames] of all.entries())
    for (const frame of frames) {
      const origin = { stream: ORDER[role] as string, epoch: 1, seq: frame.seq };
      if (frame.type === 'episode') index.addEpisode(frame, origin.stream);
      else index.addBranch(frame, origin);
    }
  const found = new Map<string, BranchReport>();
  for (const histories of historiesOf(index).values()) {
    const { agents, sourceRole, targetRole } = histories.group;
    const job = { run: 'r1', histories, algebra: createPlainAlgebra(), nowMs: () => 0 };
    found.set(`${sourceRole}>${targetRole} of ${agents}`, (await scoreBranches(job)).branches);
  }
  return found;
}

describe('branches with three listeners', () => {
  it.each([
    [0, ['1>2', '1>3', '1>4']],
    [2, ['3>4', '3>1', '3>2']],
  ])('give every listener its own histories and its own influence: role %i speaks', async (first, pairs) => {
    const found = await reports(streams(first));
    expect([...found.keys()].sort()).toEqual(pairs.map((pair) => `${pair} of 4`).sort());
    const [moved, deaf, elsewhere] = pairs.map((pair) => found.get(`${pair} of 4`) as BranchReport);
    for (const report of [moved, deaf, elsewhere]) expect(report?.histories).toBe(36);
    const two = (await reports(plantedBranchFrames(WORLD).map((frames) => [...frames]))).get('1>2 of 2');
    expect(moved?.influence?.value).toBeCloseTo(two?.influence?.value as number, 12);
    expect(moved?.influence?.value).toBeGreaterThan(0.2);
    expect(moved?.matched?.pValue).toBeLessThanOrEqual(0.01);
    expect(deaf?.influence?.value).toBe(0);
    // it moves, but not in line with what this speaker's state holds
    expect(elsewhere?.influence?.value).toBeGreaterThan(0.2);
    expect(elsewhere?.matched?.pValue).toBeGreaterThan(0.05);
  });
});
