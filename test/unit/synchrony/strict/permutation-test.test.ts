/** The exact permutation test: its evidence beside a slow twin, ties, and what it must not see. */
import { describe, expect, it } from 'vitest';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { chooseBlocks } from '../../../../src/synchrony/strict/blocks.ts';
import { strictComponents } from '../../../../src/synchrony/strict/components.ts';
import { evidenceByProducts } from '../../../../src/synchrony/strict/evidence-by-products.ts';
import { evidenceByTables } from '../../../../src/synchrony/strict/evidence-by-tables.ts';
import { evidenceOf, weighEvidence } from '../../../../src/synchrony/strict/permutation-test.ts';
import {
  drawPermutations,
  permutationsFor,
  strataOf,
} from '../../../../src/synchrony/strict/permutations.ts';
import { strictScore } from '../../../../src/synchrony/strict/strict-score.ts';
import type { TurnPairs } from '../../../../src/synchrony/types.ts';
import { plantedWorld } from '../../../fixtures/planted/planted-world.ts';
import { evidenceTwin, movedTwin, type TwinRow } from './slow-twin.ts';

const algebra = createPlainAlgebra();
const SMALL = { scenarios: 4, episodes: 3, turns: 4, dims: 3 } as const;

export function twinRows(pairs: TurnPairs): TwinRow[] {
  const row = (m: TurnPairs['source'][number] | undefined, r: number): number[] => [
    ...(m as TurnPairs['source'][number]).data.subarray(r * SMALL.dims, (r + 1) * SMALL.dims),
  ];
  return Array.from({ length: pairs.n }, (_, r) => ({
    scenario: pairs.scenario[r] as number,
    episode: pairs.episode[r] as number,
    turn: pairs.turn[r] as number,
    a: row(pairs.source[0], r),
    b: row(pairs.target[0], r),
  }));
}

describe('evidence under permutations', () => {
  it('is the same by tables and by products, layer by layer', async () => {
    const { pairs } = plantedWorld({ ...SMALL, episodes: 8, kind: 'coupled', seed: 4 });
    const other = plantedWorld({ ...SMALL, episodes: 8, kind: 'none', seed: 5 }).pairs;
    const both = { ...pairs, source: [...pairs.source, ...other.source] };
    const used = chooseBlocks(both);
    const strata = strataOf(used);
    const { sources, targets } = await strictComponents(both, used, algebra);
    const weights = (z: Matrix): Float64Array => Float64Array.from({ length: z.cols }, (_, k) => 1 / (k + 2));
    const input = {
      sources: sources.map((z) => ({ z, weights: weights(z) })),
      w: targets[0] as Matrix,
      strata,
      permutations: drawPermutations(strata, 20, 3),
    };
    const [tables, products] = [
      await evidenceByTables(input, algebra),
      await evidenceByProducts(input, algebra),
    ];
    const largest = Math.max(...tables.data.map(Math.abs));
    for (const [at, value] of tables.data.entries())
      expect((products.data[at] as number) / largest).toBeCloseTo(value / largest, 12);
  });

  it('is that of the slow twin, which moves the raw rows and starts over', async () => {
    const { pairs } = plantedWorld({ ...SMALL, kind: 'coupled', seed: 2 });
    const used = chooseBlocks(pairs);
    const strata = strataOf(used);
    const permutations = drawPermutations(strata, 5, 7);
    const components = await strictComponents(pairs, used, algebra);
    const found = await evidenceOf(components, { strata, permutations }, algebra);
    const rows = twinRows(pairs);
    for (const [at, permutation] of permutations.entries()) {
      const comes = (episode: number): number => {
        const scenario = Math.floor(episode / SMALL.episodes);
        const order = permutation[scenario] as number[];
        return scenario * SMALL.episodes + (order[episode % SMALL.episodes] as number);
      };
      expect(found.data[at]).toBeCloseTo(evidenceTwin(movedTwin(rows, comes)), 8);
    }
  });

  it('takes no terms within a scenario, also where its episodes are permuted in two strata', async () => {
    const { pairs } = plantedWorld({ ...SMALL, scenarios: 2, episodes: 7, kind: 'coupled', seed: 3 });
    const used = chooseBlocks(pairs);
    const strata = strataOf(used);
    expect(strata).toHaveLength(4);
    const permutations = drawPermutations(strata, 0, 1);
    const components = await strictComponents(pairs, used, algebra);
    const found = await evidenceOf(components, { strata, permutations }, algebra);
    expect(found.data[0]).toBeCloseTo(evidenceTwin(twinRows(pairs)), 8);
  });

  it('counts permutations that are equal to rounding as ties', () => {
    const data = Float64Array.from([5, 5 - 1e-13, 5 + 1e-13, 5, 5]);
    expect(weighEvidence({ rows: 1, cols: 5, data })).toMatchObject({ pValue: 1, z: 0, perLayer: [1] });
  });

  it('takes the maximum over layers, and corrects each layer by it', () => {
    const data = Float64Array.from([3, 0, 1, -1, 0, 0, 1, -1]);
    const { pValue, perLayer } = weighEvidence({ rows: 2, cols: 4, data });
    expect(pValue).toBe(0.25);
    expect(perLayer).toEqual([0.25, 0.75]);
  });

  it('draws so many permutations that one group among many can reach q = 0.05', () => {
    expect([1, 10, 112].map(permutationsFor)).toEqual([199, 199, 2239]);
    expect(112 / (permutationsFor(112) + 1)).toBeLessThanOrEqual(0.05);
  });
});

describe('ties and common input', () => {
  const world = (kind: 'none' | 'coupled', seed = 1): TurnPairs =>
    plantedWorld({ kind, seed, scenarios: 8, episodes: 5, turns: 6, dims: 12 }).pairs;

  /** Every row as that of the scenario's first episode. */
  const repeated = (pairs: TurnPairs, side: 'source' | 'target', every = 5): TurnPairs => ({
    ...pairs,
    [side]: pairs[side].map((m) => {
      const data = m.data.slice();
      for (let r = 0; r < m.rows; r++) {
        const [episode, turn] = [Math.floor(r / 6), r % 6];
        const from = (episode - (episode % every)) * 6 + turn;
        data.set(m.data.subarray(from * m.cols, (from + 1) * m.cols), r * m.cols);
      }
      return { ...m, data };
    }),
  });

  it('says that the episodes of a scenario are the same where they are', async () => {
    for (const side of ['source', 'target'] as const) {
      const found = await strictScore(repeated(world('none'), side), { algebra, seed: 1 });
      expect(found).toEqual({ reason: 'the episodes of a scenario are the same' });
    }
  });

  it('leaves out the scenarios whose episodes are the same, and counts the others', async () => {
    const pairs = world('coupled');
    const mixed = repeated(pairs, 'target');
    const first = pairs.target.map((m, layer) => {
      const data = mixed.target[layer]?.data.slice() as Float64Array;
      data.set(m.data.subarray(30 * m.cols), 30 * m.cols);
      return { ...m, data };
    });
    const found = await strictScore({ ...pairs, target: first }, { algebra, seed: 1, permutations: 39 });
    expect(found).toMatchObject({ scenarios: 7, droppedRows: 30 });
  });

  it('does not see an input that all episodes of a scenario have at a turn', async () => {
    const pairs = world('none', 6);
    const input = (m: TurnPairs['source'][number], by: number): TurnPairs['source'][number] => ({
      ...m,
      data: m.data.map((value, at) => {
        const row = Math.floor(at / m.cols);
        return value + by * Math.sin(1 + (at % m.cols) + 17 * Math.floor(row / 30) + 5 * (row % 6));
      }),
    });
    const fed = {
      ...pairs,
      source: pairs.source.map((m) => input(m, 20)),
      target: pairs.target.map((m) => input(m, 30)),
    };
    const options = { algebra, seed: 3, permutations: 99 };
    const [plain, other] = [await strictScore(pairs, options), await strictScore(fed, options)];
    if ('reason' in plain || 'reason' in other) throw new Error('no score');
    expect(other.pValue).toBe(plain.pValue);
    expect(other.excess).toBeCloseTo(plain.excess, 8);
  });
});
