import { expect, it } from 'vitest';
import { createRowMemory } from '../../../../src/analyzer/ingest/row-memory.ts';
import { scoreReport } from '../../../../src/analyzer/state/run-report.ts';
import { createRunState, takeFrame, takeScore } from '../../../../src/analyzer/state/run-state.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

const SIZE = { scenarios: 2, episodesPerScenario: 1, turns: 6, layers: 1, dims: 2, textDims: 2, seed: 1 };

it('the report gives a reason for the present rows, not for those of the last score', () => {
  const state = createRunState('r1');
  const admission = { memory: createRowMemory(Infinity), refuse: () => undefined };
  for (const { streams } of plantedEpisodes({ run: 'r1', ...SIZE, conditions: ['live'], coupling: 0 }))
    for (const [role, frames] of streams.entries())
      for (const frame of frames) {
        const origin = { stream: `s${role}`, epoch: 1, seq: frame.seq };
        takeFrame(state, { frame, origin, arrivedMs: 10, nowMs: 1000 }, admission);
      }
  const [group] = [...state.groups.values()];
  const none = {
    paper: null,
    strict: null,
    method: { name: 'strict', version: 2 },
    replicates: null,
    leftOut: 0,
    rows: {},
    computedMs: 1,
    seed: 1,
  };
  const reason = (): string | undefined =>
    scoreReport(state, { framesAccepted: 9, framesDurable: 9 }).groups.find(
      ({ direction }) => direction === group!.group.direction,
    )?.reason;
  const earlier = 'Too few for a score: 1 of 120 turn pairs.';
  const score = { type: 'score', run: 'r1', group: group!.group, version: 1, samples: 1 } as const;
  takeScore(state, { ...score, ...none, reason: earlier }, 2000);
  expect(group!.version).toBeGreaterThan(1);
  expect(reason()).toMatch(
    /^Too few for a score: 2 of 6 scenarios, 2 of 18 episodes, \d of 120 turn pairs\.$/,
  );
  group!.samples = 180;
  for (let n = 0; n < 6; n += 1)
    group!.scenarios.set(`s${n}`, new Map(['a', 'b', 'c'].map((episode) => [`${n}${episode}`, 10])));
  expect(reason()).toBe('Not computed yet: the last look was at 1 turn pairs.');
});
