/** The permutation test over models beside an enumeration by NumPy and itertools. */
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { pearson } from '../../../../src/synchrony/stats/pearson.ts';
import { qap, type PairTable } from '../../../../src/synchrony/stats/qap.ts';

const _ = undefined;
const X: PairTable = [
  [_, 5, 3, 8, 1],
  [4, _, 6, 7, 2],
  [3, 5, _, 9, 2],
  [7, 8, 6, _, 5],
  [2, 1, 3, 4, _],
];
const Y = [
  [_, 2.5, 1.1, 1.4, 0.2],
  [1.9, _, 2.7, 1.2, 2.9],
  [0.8, 1.2, _, 2.9, 0.4],
  [0.1, 2.6, 1.6, _, 1.2],
  [1.3, 0.6, 1.0, 0.9, _],
];

/** Tables over `models` whose rows and columns share effects, as a good speaker or listener makes them. */
function nullTables(models: number, seed: number): [number[][], number[][]] {
  const random = seededRandom(seed);
  const table = (): number[][] => {
    const [actors, partners] = [0, 1].map(() => Array.from({ length: models }, () => random.normal()));
    return Array.from({ length: models }, (_row, i) =>
      Array.from(
        { length: models },
        (_cell, j) => (actors?.[i] ?? 0) + (partners?.[j] ?? 0) + 0.3 * random.normal(),
      ),
    );
  };
  return [table(), table()];
}

describe('the permutation test over models', () => {
  it('enumerates the 120 orders of five models as NumPy and itertools do', () => {
    const found = qap(X, Y);
    expect(found).toMatchObject({ cells: 20, models: 5, permutations: 120, exact: true, pValue: 17 / 120 });
    expect('r' in found && found.r).toBeCloseTo(0.43239249442695354, 12);
  });

  it('uses the cells that both tables have, under every order', () => {
    const missing = Y.map((row, i) => row.map((value, j) => (i === 1 && j === 2 ? undefined : value)));
    const found = qap(X, missing);
    expect(found).toMatchObject({ cells: 19, pValue: 16 / 120 });
    expect('r' in found && found.r).toBeCloseTo(0.4132375962584249, 12);
  });

  it('reaches no p-value below 1/24 with four models, however strong the correlation', () => {
    const table = [1, 3, 2, 5].map((a, i) =>
      [2, 9, 4, 7].map((b, j) => (i === j ? undefined : a * 10 + b * 3)),
    );
    expect(qap(table, table)).toMatchObject({ pValue: 1 / 24, permutations: 24 });
  });

  it('keeps its level where pairs share models, and a plain p-value does not', () => {
    let [permuted, plain] = [0, 0];
    for (let study = 0; study < 400; study++) {
      const [x, y] = nullTables(5, study);
      const found = qap(x, y);
      const bare = pearson(x.flat(), y.flat());
      if ('reason' in found || 'reason' in bare) throw new Error('a table has no correlation');
      permuted += Number(found.pValue <= 0.05);
      plain += Number(bare.pValue <= 0.05);
    }
    expect(permuted / 400).toBeLessThan(0.08);
    expect(permuted / 400).toBeGreaterThan(0.02);
    expect(plain / 400).toBeGreaterThan(0.15);
  });

  it('draws orders above six models, the same ones for the same seed, near the enumerated p-value', () => {
    const [x, y] = nullTables(7, 11);
    const [once, again] = [0, 1].map(() => qap(x, y, { draws: 999, seed: 5 }));
    expect(once).toEqual(again);
    expect(once).toMatchObject({ models: 7, permutations: 1000, exact: false });
    const longer = qap(x, y, { draws: 4000, seed: 6 });
    if ('reason' in longer || !once || 'reason' in once) throw new Error('a table has no correlation');
    expect(Math.abs(longer.pValue - once.pValue)).toBeLessThan(0.06);
  });

  it('does not depend on the order in which models are given', () => {
    const order = [3, 0, 4, 1, 2];
    const moved = (table: PairTable): PairTable => order.map((i) => order.map((j) => table[i]?.[j]));
    expect(qap(moved(X), moved(Y))).toMatchObject({ pValue: 17 / 120 });
  });

  it('gives no number for too few models, unequal tables and a constant table', () => {
    const pair = [
      [1, 2],
      [3, 4],
    ];
    expect(qap(pair, pair)).toEqual({ reason: 'permuting models takes three of them, there are 2' });
    expect(qap(X, pair)).toEqual({ reason: 'the tables have unequal sizes' });
    const few = X.map((row, i) => row.map((value, j) => (i === 0 && j < 3 ? value : undefined)));
    expect(qap(X, few)).toEqual({
      reason: 'a correlation takes 3 pairs of models with both figures, there are 2',
    });
    const constant = X.map((row) => row.map(() => 1));
    expect(qap(X, constant)).toEqual({ reason: 'a table is constant over the 20 cells that both have' });
  });
});
