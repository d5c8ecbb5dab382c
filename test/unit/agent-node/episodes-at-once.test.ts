import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { chooseAtOnce } from '../../../src/agent-node/episodes-at-once.ts';

/** Keys and values of a whole context: 16 MiB. */
const model = { cacheTokenBytes: 16 * 1024, contextTokens: 1024, rowsPerPass: 1 };

describe('the number of episodes that an agent plays at once', () => {
  it.each([
    [8, 16],
    [2, 1],
  ])(
    'is %i for each processor and at most sixteen, where nothing is told and a pass takes %i dialogues',
    (perProcessor, rowsPerPass) => {
      const told = { atOnce: undefined, cacheMb: 1024 };
      const { episodes, isCutByMemory } = chooseAtOnce(told, { ...model, rowsPerPass });
      expect(episodes).toBe(Math.min(16, perProcessor * availableParallelism()));
      expect(isCutByMemory).toBe(false);
    },
  );

  it('is that of --at-once', () => {
    expect(chooseAtOnce({ atOnce: 16, cacheMb: 1024 }, model)).toMatchObject({
      episodes: 16,
      isCutByMemory: false,
    });
  });

  it.each([
    [255, 13],
    [47, 2],
    [16, 1],
    [1, 1],
  ])(
    'is no more than whole contexts fit into seven eighths of --cache-mb %i: %i, and at least one',
    (cacheMb, episodes) => {
      expect(chooseAtOnce({ atOnce: 16, cacheMb }, model)).toMatchObject({ episodes, isCutByMemory: true });
    },
  );

  it.each([
    [255, 6],
    [74, 2],
    [73, 1],
  ])('counts contexts twice where dialogues share passes: --cache-mb %i, %i', (cacheMb, episodes) => {
    expect(chooseAtOnce({ atOnce: 16, cacheMb }, { ...model, rowsPerPass: 16 }).episodes).toBe(episodes);
  });
});
