/** The map of layers beside a slow twin that refits for every permutation there is, and what its parts add up to. */
import { expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { chooseBlocks, foldsOf } from '../../../../src/synchrony/strict/blocks.ts';
import { strictComponents } from '../../../../src/synchrony/strict/components.ts';
import { mapOf } from '../../../../src/synchrony/strict/layer-map.ts';
import type { TurnPairs } from '../../../../src/synchrony/types.ts';
import { plantedWorld } from '../../../fixtures/planted/planted-world.ts';
import { effectTwin, type TwinRow } from './slow-twin.ts';

const algebra = createPlainAlgebra();
const DIMS = 2;
const LAYERS = 2;
const { pairs } = plantedWorld({
  kind: 'coupled',
  seed: 5,
  scenarios: 3,
  episodes: 3,
  turns: 3,
  dims: DIMS,
  layers: LAYERS,
});

const rowOf = (m: Matrix | undefined, r: number): number[] => [
  ...(m as Matrix).data.subarray(r * DIMS, (r + 1) * DIMS),
];

const twinRows = (source: number, target: number): TwinRow[] =>
  Array.from({ length: pairs.n }, (_, r) => ({
    scenario: pairs.scenario[r] as number,
    episode: pairs.episode[r] as number,
    turn: pairs.turn[r] as number,
    a: rowOf(pairs.source[source], r),
    b: rowOf(pairs.target[target], r),
  }));

const ORDERS = [
  [0, 1, 2],
  [0, 2, 1],
  [1, 0, 2],
  [1, 2, 0],
  [2, 0, 1],
  [2, 1, 0],
];

/** The six orders of three episodes, for each of three scenarios. */
const PERMUTATIONS = ORDERS.flatMap((x) =>
  ORDERS.flatMap((y) =>
    ORDERS.map((z) => (episode: number): number => {
      const scenario = Math.floor(episode / 3);
      return 3 * scenario + (([x, y, z][scenario] as number[])[episode % 3] as number);
    }),
  ),
);

async function found(of: TurnPairs) {
  const used = chooseBlocks(of);
  const components = await strictComponents(of, used, algebra);
  return { used, ...(await mapOf({ used, components }, { seed: 1, algebra })) };
}

it('gives R² and its mean under all permutations for every pair of layers, as fits one by one do', async () => {
  const { used, map, nulls } = await found(pairs);
  const folds = foldsOf(used, 1).map((fold) => fold.map((block) => used.blocks[block]?.scenario as number));
  for (let source = 0; source < LAYERS; source += 1)
    for (let target = 0; target < LAYERS; target += 1) {
      const twin = effectTwin({ rows: twinRows(source, target), folds, penalty: 3, all: PERMUTATIONS });
      const at = source * LAYERS + target;
      expect(map.data[at]).toBeCloseTo(twin.score, 8);
      expect((map.data[at] as number) - (nulls.data[at] as number)).toBeCloseTo(twin.excess, 8);
    }
});

it('gives each turn pair a part, and the parts add up to the mean of the map', async () => {
  const { map, parts } = await found(pairs);
  const mean = map.data.reduce((sum, value) => sum + value, 0) / map.data.length;
  expect(parts.map(({ row }) => row).toSorted((a, b) => a - b)).toEqual([...Array(pairs.n).keys()]);
  expect(parts.reduce((sum, { part }) => sum + part, 0)).toBeCloseTo(mean, 10);
});

it('gives a turn pair whose states were put out of order a smaller part than it had', async () => {
  const { pairs: coupled } = plantedWorld({
    kind: 'coupled',
    seed: 9,
    scenarios: 6,
    episodes: 4,
    turns: 6,
    dims: 4,
    rho: 0.9,
  });
  const before = await found(coupled);
  const { row } = before.parts.toSorted((a, b) => b.part - a.part)[0] as { row: number };
  const turned = coupled.target.map((m) => {
    const data = m.data.slice();
    for (let c = 0; c < m.cols; c += 1) data[row * m.cols + c] = -(m.data[row * m.cols + c] as number);
    return { ...m, data };
  });
  const after = await found({ ...coupled, target: turned });
  const partOf = ({ parts }: { parts: { row: number; part: number }[] }): number =>
    parts.find((one) => one.row === row)?.part as number;
  expect(partOf(after)).toBeLessThan(partOf(before) / 2);
});
