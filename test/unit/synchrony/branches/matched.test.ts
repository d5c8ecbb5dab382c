/** Matched SyncR² and its test beside slow twins and NumPy, and what holds of them whatever the states are. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { orderHistories, type Branches } from '../../../../src/synchrony/branches/histories.ts';
import { drawOrders, matchedTest } from '../../../../src/synchrony/branches/matched-test.ts';
import { matchedScore, type MatchedScore } from '../../../../src/synchrony/branches/matched.ts';
import { stateMovement } from '../../../../src/synchrony/branches/movements.ts';
import { foldsOf } from '../../../../src/synchrony/strict/blocks.ts';
import { meanOf } from '../../../../src/synchrony/stats/jackknife.ts';
import { plantedBranches, type BranchWorldOptions } from '../../../fixtures/planted/planted-branches.ts';
import { evidenceTwin, matchedTwin, movedTwin, type MatchedTwin } from './slow-twin.ts';
import { pick, twinRows } from './twin-rows.ts';

const algebra = createPlainAlgebra();
const SMALL: BranchWorldOptions = {
  kind: 'moved',
  seed: 3,
  scenarios: 6,
  episodes: 2,
  turns: 2,
  alternatives: 4,
  unequal: true,
  dims: 3,
  layers: 2,
};
const PENALTIES = [0.003, 0.01, 0.03, 0.1, 0.3, 1, 3];

async function found(branches: Branches, seed = 1): Promise<MatchedScore> {
  const score = await matchedScore(branches, { seed, algebra, permutations: 39 });
  if ('reason' in score) throw new Error(score.reason);
  return score;
}

function twinOf(branches: Branches, seed = 1): MatchedTwin {
  const { blocks, rows, count } = orderHistories(branches);
  const whole = blocks.map(({ scenario, start, rows: episodes }) => ({
    scenario,
    start,
    episodes,
    turns: 1,
  }));
  const folds = foldsOf({ rows, blocks: whole, episodes: count }, seed).map((fold) =>
    fold.map((block) => whole[block]?.scenario as number),
  );
  return { rows: twinRows(branches), folds, penalties: PENALTIES, penaltyForLayers: 3 };
}

describe('matched SyncR²', () => {
  it('is what explicit ridge fits explain of held-out scenarios, layer by layer', async () => {
    const { branches } = plantedBranches(SMALL);
    const score = await found(branches);
    const twin = matchedTwin(twinOf(branches));
    for (const { layer, score: own } of score.perLayer) expect(own).toBeCloseTo(twin[layer] as number, 8);
    expect(score.score).toBeCloseTo(meanOf(twin), 8);
  });

  it('gives the figures that NumPy gives from the definition, and so do words, bystander and both', async () => {
    const score = await found(plantedBranches(SMALL).branches);
    expect(score.perLayer[0]?.score).toBeCloseTo(NUMPY.matched[0], 8);
    expect(score.perLayer[1]?.score).toBeCloseTo(NUMPY.matched[1], 8);
    expect(score.words).toBeCloseTo(NUMPY.words, 8);
    expect(score.bystander).toBeCloseTo(NUMPY.bystander, 8);
    expect(score.both).toBeCloseTo(NUMPY.both, 8);
    expect(score.adds?.value).toBeCloseTo(NUMPY.both - NUMPY.bystander, 8);
  });

  it('has the interval of scores that leave each scenario out, on the held-out and on the training side', async () => {
    const { branches } = plantedBranches(SMALL);
    const { replicates } = await found(branches);
    for (const { scenario, excess } of replicates)
      expect(excess).toBeCloseTo(meanOf(matchedTwin(twinOf(branches), scenario)), 8);
  });

  it('does not depend on anything that a whole history shares', async () => {
    const { branches } = plantedBranches({ ...SMALL, scenarios: 7 });
    const before = await found(branches);
    const shift = (m: Matrix, size: number): Matrix => ({
      ...m,
      data: m.data.map((value, at) => {
        const row = Math.floor(at / m.cols);
        return (
          value +
          size *
            Math.sin((branches.episode[row] as number) * 7 + (branches.turn[row] as number) + (at % m.cols))
        );
      }),
    });
    await fc.assert(
      fc.asyncProperty(fc.double({ min: -20, max: 20, noNaN: true }), async (size) => {
        const after = await found({
          ...branches,
          source: branches.source.map((m) => shift(m, size)),
          target: branches.target.map((m) => shift(m, -size)),
        });
        expect(after.score).toBeCloseTo(before.score, 7);
        expect(after.pValue).toBe(before.pValue);
      }),
      { numRuns: 5 },
    );
  });

  it('does not depend on the order in which rows come', async () => {
    const { branches } = plantedBranches(SMALL);
    const backwards = [...Array(branches.n).keys()].reverse();
    expect(await found(pick(branches, backwards))).toEqual(await found(branches));
  });

  it('does not credit the state with words that the bystander has read as well', async () => {
    const { branches } = plantedBranches({ ...SMALL, kind: 'words', dims: 12, scenarios: 8, episodes: 3 });
    const { score, bystander, adds, pValue } = await found(branches);
    expect(pValue).toBe(1 / 40);
    expect(bystander).toBeGreaterThan(score);
    expect(adds?.ci.low).toBeLessThan(0.01);
  });

  it('has no value where the listener does not move, and says so', async () => {
    const { branches } = plantedBranches({ ...SMALL, kind: 'unheard' });
    expect(await matchedScore(branches, { seed: 1, algebra })).toEqual({
      reason: 'the states of the listener do not move with the alternatives',
    });
  });

  it('has no value below six scenarios', async () => {
    const { branches } = plantedBranches({ ...SMALL, scenarios: 5 });
    expect(await matchedScore(branches, { seed: 1, algebra })).toHaveProperty('reason');
  });
});

describe('the permutation test of matched SyncR²', () => {
  const tested = async (branches: Branches, count: number, seed: number) => {
    const used = orderHistories(branches);
    const moved = async (layers: Matrix[]): Promise<Matrix[]> =>
      Promise.all(layers.map(async (m) => (await stateMovement(m, used, algebra)).components));
    const [sources, targets] = [await moved(branches.source), await moved(branches.target)];
    const orders = drawOrders(used, count, seed);
    return { orders, result: await matchedTest({ used, sources, targets, orders }, algebra) };
  };

  it('weighs the evidence that a twin sums row by row, over all pairs of layers and all permutations', async () => {
    const { branches } = plantedBranches({ ...SMALL, kind: 'own', seed: 8 });
    const { orders, result } = await tested(branches, 19, 5);
    const rows = twinRows(branches);
    const moved = (side: 'a' | 'b', layer: number) =>
      movedTwin(
        rows,
        rows.map((row) => row[side][layer] as number[]),
      );
    const pairs = [0, 1].flatMap((source) =>
      [0, 1].map((target) => {
        const sides = { a: moved('a', source), b: moved('b', target) };
        const values = orders.map((order) => evidenceTwin(rows, { ...sides, order: [...order] }));
        const centre = meanOf(values);
        const spread = Math.sqrt(meanOf(values.map((value) => (value - centre) ** 2)));
        return values.map((value) => (value - centre) / spread);
      }),
    );
    const highest = orders.map((_, draw) => Math.max(...pairs.map((pair) => pair[draw] as number)));
    expect(result.z).toBeCloseTo(highest[0] as number, 7);
    expect(result.pValue).toBe(highest.filter((value) => value >= (highest[0] as number) - 1e-9).length / 20);
  });

  it('finds that alternatives which are all the same tie: p is 1', async () => {
    const { branches } = plantedBranches({ ...SMALL, same: 1 });
    const { result } = await tested({ ...branches }, 19, 1);
    expect(result).toMatchObject({ pValue: 1, z: 0 });
  });

  it('moves each alternative to a place of its own history and to no other', () => {
    const { branches } = plantedBranches(SMALL);
    const used = orderHistories(branches);
    const orders = drawOrders(used, 50, 2);
    expect([...(orders[0] as Int32Array)]).toEqual([...used.rows.keys()]);
    for (const order of orders)
      for (const { start, alternatives } of used.blocks.flatMap(({ histories }) => histories)) {
        const own = [...order.subarray(start, start + alternatives)].sort((a, b) => a - b);
        expect(own).toEqual(Array.from({ length: alternatives }, (_, k) => start + k));
      }
  });
});

/** By numpy 2 from the same world, folds and penalties. */
const NUMPY = {
  matched: [0.05533913831173956, 0.041233858847366245],
  words: -0.02484877079498928,
  bystander: -0.020351791418500003,
  both: 0.20243583694857525,
} as const;
