/** Real dyads beside pseudo-dyads: an exact test by changing partners, beside an enumeration of its own. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { partnerPermutation } from '../../../../src/synchrony/stats/partner-permutation.ts';

const OPTIONS = { draws: 999, seed: 1 };

/** Values with an effect of each member, which real and pseudo-dyads share, and `more` of real dyads. */
function table(dyads: number, more: number, seed: number): number[][] {
  const random = seededRandom(seed);
  const [rows, columns] = [0, 1].map(() => Array.from({ length: dyads }, () => random.normal()));
  return Array.from({ length: dyads }, (_row, i) =>
    Array.from(
      { length: dyads },
      (_cell, j) => (rows?.[i] ?? 0) + (columns?.[j] ?? 0) + 0.5 * random.normal() + (i === j ? more : 0),
    ),
  );
}

function found(values: number[][], options = OPTIONS) {
  const answer = partnerPermutation(values, options);
  if ('reason' in answer) throw new Error(answer.reason);
  return answer;
}

/** p over all 5⁵ assignments of partners that use each once. */
function slowP(values: number[][]): number {
  let [all, large] = [0, 0];
  const real = values.reduce((sum, row, i) => sum + (row[i] ?? 0), 0);
  for (let code = 0; code < 5 ** 5; code++) {
    const order = [0, 1, 2, 3, 4].map((place) => Math.floor(code / 5 ** place) % 5);
    if (new Set(order).size < 5) continue;
    all += 1;
    large += Number(order.reduce((sum, j, i) => sum + (values[i]?.[j] ?? 0), 0) >= real - 1e-9);
  }
  expect(all).toBe(120);
  return large / all;
}

describe('the permutation of partners', () => {
  it('takes all 120 orders of five dyads, and has the p-value of an enumeration of its own', () => {
    for (let seed = 0; seed < 8; seed++) {
      const values = table(5, 0.3, seed);
      const { pValue, permutations, exact } = found(values);
      expect([permutations, exact]).toEqual([120, true]);
      expect(pValue).toBeCloseTo(slowP(values), 12);
    }
  });

  it('gives the mean of real dyads, of pseudo-dyads, and their difference', () => {
    const { real, pseudo, excess } = found([
      [5, 1, 1, 1],
      [1, 6, 1, 1],
      [1, 1, 7, 1],
      [1, 1, 1, 2],
    ]);
    expect([real, pseudo, excess]).toEqual([5, 1, 4]);
  });

  it('has p-values that are uniform where members differ and dyads do not, and intervals that hold 0', () => {
    const studies = Array.from({ length: 300 }, (_, seed) =>
      found(table(8, 0, seed), { draws: 199, seed: 1 }),
    );
    for (const level of [0.05, 0.2, 0.5]) {
      const share = studies.filter(({ pValue }) => pValue <= level).length / studies.length;
      expect(Math.abs(share - level)).toBeLessThan(4 * Math.sqrt((level * (1 - level)) / studies.length));
    }
    const holding = studies.filter(({ interval: { low, high } }) => low <= 0 && high >= 0).length;
    expect(holding / studies.length).toBeGreaterThan(0.89);
  });

  it('finds dyads that go together, with the planted excess within most intervals', () => {
    const studies = Array.from({ length: 100 }, (_, seed) =>
      found(table(12, 1, seed), { draws: 199, seed: 1 }),
    );
    expect(studies.filter(({ pValue }) => pValue <= 0.05).length).toBeGreaterThan(95);
    const holding = studies.filter(({ interval: { low, high } }) => low <= 1 && high >= 1).length;
    expect(holding).toBeGreaterThan(88);
  });

  it('has no figure for three dyads or a value that is not finite', () => {
    expect(partnerPermutation(table(3, 1, 1), OPTIONS)).toEqual({
      reason: 'changing partners takes 4 dyads, there are 3',
    });
    const values = table(5, 1, 1);
    (values[1] as number[])[2] = Number.NaN;
    expect(partnerPermutation(values, OPTIONS)).toEqual({ reason: 'a pair of members has no finite value' });
  });
});
