/**
 * Score, excess and jackknife of strict mode beside a slow twin that refits, and that takes every permutation there is.
 */
import { describe, expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { chooseBlocks, foldsOf } from '../../../../src/synchrony/strict/blocks.ts';
import { addFold, emptyEffect } from '../../../../src/synchrony/strict/effect.ts';
import { strictComponents } from '../../../../src/synchrony/strict/components.ts';
import { sumsOf } from '../../../../src/synchrony/strict/scenario-sums.ts';
import { energyOf } from '../../../../src/synchrony/strict/standardise.ts';
import type { TurnPairs } from '../../../../src/synchrony/types.ts';
import { plantedWorld } from '../../../fixtures/planted/planted-world.ts';
import { effectTwin, type TwinRow } from './slow-twin.ts';

const algebra = createPlainAlgebra();
const DIMS = 2;

const twinRows = (pairs: TurnPairs): TwinRow[] =>
  Array.from({ length: pairs.n }, (_, r) => {
    const row = (m: { data: Float64Array } | undefined): number[] => [
      ...(m as { data: Float64Array }).data.subarray(r * DIMS, (r + 1) * DIMS),
    ];
    const [scenario, episode, turn] = [pairs.scenario[r], pairs.episode[r], pairs.turn[r]] as [
      number,
      number,
      number,
    ];
    return { scenario, episode, turn, a: row(pairs.source[0]), b: row(pairs.target[0]) };
  });

/** The six orders of three episodes, for each of three scenarios: 216 permutations. */
function allPermutations(): ((episode: number) => number)[] {
  const orders = [
    [0, 1, 2],
    [0, 2, 1],
    [1, 0, 2],
    [1, 2, 0],
    [2, 0, 1],
    [2, 1, 0],
  ];
  return orders.flatMap((x) =>
    orders.flatMap((y) =>
      orders.map((z) => (episode: number) => {
        const scenario = Math.floor(episode / 3);
        return 3 * scenario + (([x, y, z][scenario] as number[])[episode % 3] as number);
      }),
    ),
  );
}

describe('effect', () => {
  it('gives score, excess and the excess without each scenario as fits and permutations one by one do', async () => {
    const { pairs } = plantedWorld({
      kind: 'coupled',
      seed: 5,
      scenarios: 3,
      episodes: 3,
      turns: 3,
      dims: DIMS,
    });
    const used = chooseBlocks(pairs);
    const components = await strictComponents(pairs, used, algebra);
    const folds = foldsOf(used, 1);
    const sums = sumsOf({ used, ...components }, algebra);
    const energy = [
      Float64Array.from(used.blocks, (block) =>
        energyOf(components.targets[0] as TurnPairs['history'], block),
      ),
    ];
    const [effect] = [emptyEffect(3)];
    for (const held of folds.keys())
      await addFold([effect], { folds, held, sums, widths: [DIMS], energy, algebra, penalties: [1] });
    const twin = effectTwin({
      rows: twinRows(pairs),
      folds: folds.map((fold) => fold.map((block) => used.blocks[block]?.scenario as number)),
      penalty: 1,
      all: allPermutations(),
    });
    const total = effect.total.reduce((sum, value) => sum + value, 0);
    expect(effect.explained / total).toBeCloseTo(twin.score, 8);
    expect((effect.explained - effect.null) / total).toBeCloseTo(twin.excess, 8);
    for (const [block, { scenario }] of used.blocks.entries())
      expect((effect.without[block] as number) / (total - (effect.total[block] as number))).toBeCloseTo(
        twin.without.get(scenario) as number,
        8,
      );
  });
});
