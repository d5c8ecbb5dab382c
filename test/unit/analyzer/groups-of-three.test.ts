/** Groups of three agents: whole real episodes are permuted, each dyad with the same pair of roles. */
import { describe, expect, it } from 'vitest';
import { groupsOfThree } from '../../fixtures/planted/groups-of-three.ts';
import { pseudoPairs } from '../../../src/synchrony/syncr2/nulls.ts';
import { createPlainAlgebra } from '../../../src/numeric/plain-algebra.ts';
import { chooseBlocks } from '../../../src/synchrony/strict/blocks.ts';
import { strictScore } from '../../../src/synchrony/strict/strict-score.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';
import type { TurnPairs } from '../../../src/synchrony/types.ts';

const SIZE = { scenarios: 8, episodes: 4, turns: 18, dims: 8 };
const groups = groupsOfThree({ ...SIZE, seed: 1 });

describe('every ordered pair of three roles', () => {
  it('is a group that counts real episodes', () => {
    expect([...groups.keys()].sort()).toEqual(['1>2', '1>3', '2>1', '2>3', '3>1', '3>2']);
    for (const pairs of groups.values()) expect(new Set(pairs.episode).size).toBe(32);
  });

  it('permutes every episode with three of its scenario, over all of its turns', () => {
    for (const pairs of groups.values()) {
      const { blocks, episodes } = chooseBlocks(pairs);
      expect(episodes).toBe(32);
      for (const block of blocks) expect([block.episodes, block.turns >= 5]).toEqual([4, true]);
    }
  });

  it('has pseudo pairs of two real episodes', () => {
    const episodeOf = new Map<string, number>();
    for (const pairs of groups.values()) {
      for (let row = 0; row < pairs.n; row++) {
        for (const m of [pairs.source[0], pairs.target[0]] as Matrix[])
          episodeOf.set(stateAt(m, row), pairs.episode[row] as number);
      }
    }
    for (const pairs of groups.values()) {
      const pseudo = pseudoPairs(pairs, 3);
      expect(pseudo.n).toBeGreaterThan(150);
      for (let row = 0; row < pseudo.n; row++) {
        const [a, b] = [pseudo.source[0] as Matrix, pseudo.target[0] as Matrix];
        expect(episodeOf.get(stateAt(a, row))).not.toBe(episodeOf.get(stateAt(b, row)));
      }
    }
  });
});

const stateAt = (m: Matrix, row: number): string => m.data.subarray(row * m.cols, (row + 1) * m.cols).join();

it('the score finds coupling only in the coupled dyad and direction', async () => {
  const coupled = groupsOfThree({ ...SIZE, seed: 2, rho: 0.6 });
  const options = { algebra: createPlainAlgebra(), seed: 1, permutations: 99 };
  const excess = async (dyad: string): Promise<number> => {
    const score = await strictScore(coupled.get(dyad) as TurnPairs, options);
    if ('reason' in score) throw new Error(score.reason);
    return score.excess;
  };
  expect(await excess('1>2')).toBeGreaterThan(0.2);
  for (const dyad of ['2>1', '1>3', '2>3']) expect(Math.abs(await excess(dyad))).toBeLessThan(0.05);
});
