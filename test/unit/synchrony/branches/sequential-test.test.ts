/** The test martingale beside a slow twin, and that looking often claims nothing where nothing is. */
import { describe, expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import type { Branches } from '../../../../src/synchrony/branches/histories.ts';
import {
  sequentialTest,
  type SequentialVerdict,
} from '../../../../src/synchrony/branches/sequential-test.ts';
import { plantedBranches, type BranchWorldOptions } from '../../../fixtures/planted/planted-branches.ts';
import { sequentialTwin } from './sequential-twin.ts';
import { pick, twinRows } from './twin-rows.ts';

const algebra = createPlainAlgebra();
const SMALL: BranchWorldOptions = {
  kind: 'moved',
  seed: 4,
  scenarios: 4,
  episodes: 2,
  turns: 2,
  alternatives: 4,
  dims: 3,
  layers: 2,
};

async function verdict(branches: Branches): Promise<SequentialVerdict> {
  const found = await sequentialTest(branches, { seed: 1, algebra });
  if ('reason' in found) throw new Error(found.reason);
  return found;
}

describe('the sequential test of branches', () => {
  it.each(['moved', 'own'] as const)('bets as a twin with explicit primal fits does: %s', async (kind) => {
    const { branches } = plantedBranches({ ...SMALL, kind, unequal: true, same: 0.2 });
    const twin = sequentialTwin(twinRows(branches));
    const found = await verdict(branches);
    expect(found.histories).toBe(twin.histories);
    expect(found.logE).toBeCloseTo(twin.logE, 8);
    expect(found.pValue).toBeCloseTo(twin.pValue, 8);
  });

  it('bets by mid-ranks where two of four alternatives are the same', async () => {
    const { branches } = plantedBranches({ ...SMALL, kind: 'own', alternatives: 4 });
    const twice = pick(
      branches,
      [...Array(branches.n).keys()].map((row) => (row % 4 === 1 ? row - 1 : row)),
    );
    const found = await verdict(twice);
    const twin = sequentialTwin(twinRows(twice));
    expect(found.logE).toBeCloseTo(twin.logE, 8);
    expect(found.pValue).toBeCloseTo(twin.pValue, 8);
  });

  it('claims a relation within a few histories where the listener moves in line with the speaker', async () => {
    const { branches } = plantedBranches({ ...SMALL, dims: 12 });
    expect((await verdict(branches)).pValue).toBeLessThan(0.001);
  });

  it('bets nothing where the listener does not move', async () => {
    const { branches } = plantedBranches({ ...SMALL, kind: 'unheard' });
    expect((await verdict(branches)).pValue).toBe(1);
  });

  it('keeps the p-value of the first histories when more come that speak against it', async () => {
    const moved = plantedBranches(SMALL).branches;
    const long = await verdict(moved);
    const short = await verdict(pick(moved, [...Array(moved.n).keys()].slice(0, 32)));
    expect(long.pValue).toBeLessThanOrEqual(short.pValue);
  });

  it('claims at most one relation in twenty where there is none, though it looks after every history', async () => {
    let claims = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { branches } = plantedBranches({ ...SMALL, kind: 'own', seed, dims: 6, layers: 1 });
      claims += (await verdict(branches)).pValue <= 0.05 ? 1 : 0;
    }
    // P(more than 12 of 100) is below 0.2 % at a rate of 5 %
    expect(claims).toBeLessThanOrEqual(12);
  });

  it('has no verdict before the fifth history with distinct alternatives', async () => {
    const { branches } = plantedBranches({ ...SMALL, scenarios: 1 });
    expect(await sequentialTest(branches, { seed: 1, algebra })).toEqual({
      reason: 'too few histories with at least two distinct alternatives: 4 of 5',
    });
  });
});
