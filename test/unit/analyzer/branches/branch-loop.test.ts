/** When the branches of a group are scored: rarely while the run goes on, and at once when nothing comes any more. */
import { afterEach, describe, expect, it } from 'vitest';
import {
  createBranchLoop,
  type BranchLoop,
  type HistoriesInput,
} from '../../../../src/analyzer/branches/branch-loop.ts';
import { createBranchState, takeBranchFrame } from '../../../../src/analyzer/branches/branch-state.ts';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import type { BranchScore } from '../../../../src/analyzer/scoring/messages.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { until } from '../../../fixtures/programs/demo.ts';
import { plantedBranchFrames } from '../../../fixtures/planted/planted-branch-frames.ts';

let loop: BranchLoop | undefined;
afterEach(() => loop?.stop());

/** Every change of the histories of one group, in order. */
function inputs(): HistoriesInput[] {
  const state = createBranchState();
  const admission = { memory: createRowMemory(Infinity), refuse: () => undefined };
  const world = { scenarios: 3, episodes: 2, turns: 2, alternatives: 3, dims: 4, layers: 1, seed: 2 };
  return plantedBranchFrames({ run: 'r1', condition: 'live', kind: 'moved', ...world }).flatMap(
    (frames, role) =>
      frames.flatMap((frame) => {
        const origin = { stream: `agent-${role}`, epoch: 1, seq: frame.seq };
        return takeBranchFrame(state, { run: 'r1', frame, origin }, admission);
      }),
  );
}

describe('scores of branches', () => {
  it('rest after long work while something of the run comes, and not once nothing comes', async () => {
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    const plain = createPlainAlgebra();
    // Every product takes ten seconds.
    const algebra = {
      ...plain,
      crossMultiply: (...of: Parameters<typeof plain.crossMultiply>) => {
        nowMs += 10_000;
        return plain.crossMultiply(...of);
      },
      gram: (...of: Parameters<typeof plain.gram>) => {
        nowMs += 10_000;
        return plain.gram(...of);
      },
    };
    const scores: BranchScore[] = [];
    loop = createBranchLoop({ clock, algebra, publish: (score) => scores.push(score) });
    const all = inputs();
    for (const input of all.slice(0, -1)) loop.take(input);
    nowMs += 2000;
    await until('the first score', () => scores.length === 1 || undefined);
    expect(nowMs).toBeGreaterThan(10_000);
    loop.take(all.at(-1) as HistoriesInput);
    for (let i = 0; i < 4; i++) {
      nowMs += 900;
      loop.hear('r1');
      await new Promise((resolve) => void setTimeout(resolve, 300));
    }
    expect(scores).toHaveLength(1);
    nowMs += 1000;
    await until('the second score', () => scores.length === 2 || undefined);
    expect(scores[1]?.version).toBe(all.at(-1)?.version);
  });

  it('count the alternatives of a turn without the versions of a moved state, of which there are more', async () => {
    const scores: BranchScore[] = [];
    const algebra = createPlainAlgebra();
    let nowMs = 0;
    const clock = { ...systemClock, monotonicMs: () => nowMs };
    loop = createBranchLoop({ clock, algebra, publish: (score) => scores.push(score) });
    for (const input of inputs()) loop.take({ ...input, histories: input.histories.flatMap(alsoMoved) });
    nowMs += 60_000;
    await until('a score', () => scores[0]);
    expect(scores[0]?.branches.patches).toHaveLength(1);
    expect(scores[0]?.branches.sequential?.histories).toBeGreaterThan(0);
  });
});

type History = HistoriesInput['histories'][number];

/** With as many versions again, in which the speaker's state was moved. */
function alsoMoved(history: History): History[] {
  const { alternatives } = history;
  const versions = [...alternatives, ...alternatives].map((one, k) => ({ ...one, k }));
  const patch = { kind: 'perturbation', layer: 1, size: 1 };
  return [history, { ...history, most: versions.length, alternatives: versions, patch }];
}
