import { expect, it } from 'vitest';
import { selectRows, type GroupRows } from '../../../../src/analyzer/ingest/group-rows.ts';
import { emptyRunRows, takeFrameRows } from '../../../../src/analyzer/ingest/run-rows.ts';
import { growPoint, startPointGroup } from '../../../../src/analyzer/scoring/point-group.ts';
import { scoreGroup } from '../../../../src/analyzer/scoring/score-group.ts';
import type { FrozenFit } from '../../../../src/analyzer/scoring/messages.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { plantedEpisodes } from '../../../fixtures/planted/planted-frames.ts';

const CAP = 150;
const SIZE = { scenarios: 8, episodesPerScenario: 8, turns: 8, layers: 1, dims: 4, textDims: 4 };

it('takes in no episode over the cap, which the full score has left out', async () => {
  const run = emptyRunRows();
  const world = { ...SIZE, run: 'r', conditions: ['live'], coupling: 0, seed: 2 };
  for (const { streams } of plantedEpisodes(world)) {
    for (const [role, frames] of streams.entries()) {
      for (const frame of frames) {
        const origin = { stream: `s${role}`, epoch: 1, seq: frame.seq };
        takeFrameRows(run, { origin, frame }, Infinity);
      }
    }
  }
  const group = [...run.groups.values()][0] as GroupRows;
  const selection = selectRows(group, CAP);
  let fit: FrozenFit | undefined;
  const onFrozen = (frozen: FrozenFit): void => void (fit = frozen);
  await scoreGroup({ run: 'r', group, selection, algebra: createPlainAlgebra(), nowMs: () => 0, onFrozen });
  const grow = (maxRows?: number): boolean =>
    growPoint(startPointGroup(fit as FrozenFit), group.episodes.keys(), { group, maxRows });
  expect(grow(CAP)).toBe(false);
  expect(grow()).toBe(true);
});
