/** Text that both states carry and the features show is taken out, also when it has nearly as many dimensions as there are episodes. */
import { expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../src/synchrony/plain-algebra.ts';
import { strictScore } from '../../../src/synchrony/strict.ts';
import { plantedWorld } from '../../../bench/planted.ts';

const algebra = createPlainAlgebra();

it('does not take text of rank 24 beside 120 rows for coupling', async () => {
  const size = { scenarios: 6, episodes: 4, turns: 5, dims: 24, textRank: 24, textStep: 2.8 };
  const minimums = { samples: 100, episodes: 18, scenarios: 6 };
  let found = 0;
  for (let seed = 0; seed < 12; seed++) {
    const { pairs } = plantedWorld({ ...size, kind: 'text', seed });
    const score = await strictScore(pairs, { algebra, seed, minimums, permutations: 39, bootstraps: 10 });
    if ('reason' in score) throw new Error(score.reason);
    if (score.pValue <= 0.05) found += 1;
  }
  expect(found).toBeLessThanOrEqual(2);
});
