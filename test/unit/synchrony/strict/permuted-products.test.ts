/** Products under exchanges of episodes, worked out by blocks, are what row by row gives. */
import { expect, it } from 'vitest';
import { plantedWorld } from '../../../fixtures/planted/planted-world.ts';
import { drawExchanges, type Exchanges, type Match } from '../../../../src/synchrony/strict/permutations.ts';
import { symmetricProduct, zeros } from '../../../../src/numeric/matrix.ts';
import { movedProducts, sideOf } from '../../../../src/synchrony/strict/permuted-products.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { trainingRows } from '../../../../src/synchrony/strict/residuals.ts';
import { chooseRows, type StrictRows } from '../../../../src/synchrony/strict/rows.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';

const random = seededRandom(8);
const algebra = createPlainAlgebra();

function normal(rows: number, cols: number): Matrix {
  const m = zeros(rows, cols);
  for (let at = 0; at < m.data.length; at++) m.data[at] = random.normal();
  return m;
}

/** Own row, its partner and the weight of their match, for every row of a side that stays under the exchange. */
function movesOf(
  { matches, choices }: Exchanges,
  k: number,
  { rows, side }: { rows: StrictRows; side: Int32Array },
) {
  return [...side].flatMap((row, place) => {
    const episode = rows.episode[row] as number;
    const match = matches[episode]?.[choices[k]?.[episode] as number] as Match;
    const at = match.own.indexOf(row);
    return at < 0 ? [] : [{ place, row, partner: match.partner[at] as number, weight: match.weight }];
  });
}

type Move = ReturnType<typeof movesOf>[number];
type Scale = (a: Move, b: Move) => number;

interface Slow {
  /** The left side. */
  of: Int32Array;
  scaled?: Scale;
}

/** 0 where both episodes keep their partner, else 1 over the chance that they do not. */
function scaleOf({ blocks }: Exchanges, { episode }: StrictRows): Scale {
  const blockOf = (of: number): number[] => blocks.find((block) => block.includes(of)) as number[];
  return (a, b) => {
    const [e, f] = [episode[a.row] as number, episode[b.row] as number];
    if (episode[a.partner] === e && episode[b.partner] === f) return 0;
    const [m, n] = [blockOf(e).length, blockOf(f).length];
    const chance = e === f ? 1 / m : blockOf(e) === blockOf(f) ? 1 / (m * (m - 1)) : 1 / (m * n);
    return 1 / (1 - chance);
  };
}

it.each([
  ['of one length, few in a scenario', { episodes: 3 }],
  ['of unequal lengths, more in a scenario than are exchanged at once', { episodes: 8, shortest: 3 }],
])('episodes %s', async (_, size) => {
  const { pairs } = plantedWorld({ kind: 'none', scenarios: 5, turns: 6, dims: 2, seed: 1, ...size });
  const rows = chooseRows(pairs, 3);
  const exchanges = drawExchanges(rows, 12, 3);
  const fold = rows.fold[0] as number;
  const train = trainingRows(rows, fold);
  const test = Int32Array.from(rows.fold.keys()).filter((row) => rows.fold[row] === fold);
  const g = symmetricProduct(normal(rows.rows.length, 4));
  const [left, right] = [sideOf(rows, exchanges, test), sideOf(rows, exchanges, train)];
  const across = [normal(test.length, train.length), normal(test.length, train.length)];
  const square = symmetricProduct(normal(train.length, 3));
  const found = await movedProducts(exchanges, { h: across, g, left, right }, algebra);
  const within = await movedProducts(exchanges, { h: [square], g, left: right, right }, algebra);
  const apart = await movedProducts(exchanges, { h: across, g, left, right, apart: 'spread' }, algebra);
  const apartWithin = await movedProducts(
    exchanges,
    { h: [square], g, left: right, right, apart: 'mean' },
    algebra,
  );
  const kept = zeros(exchanges.choices.length, across.length);
  const others = await movedProducts(exchanges, { h: across, g, left, right, kept }, algebra);
  const scale = scaleOf(exchanges, rows);
  const slow = (h: Matrix, k: number, { of, scaled = () => 1 }: Slow): number => {
    let sum = 0;
    for (const a of movesOf(exchanges, k, { rows, side: of }))
      for (const b of movesOf(exchanges, k, { rows, side: train }))
        sum +=
          scaled(a, b) *
          a.weight *
          b.weight *
          (h.data[a.place * h.cols + b.place] as number) *
          (g.data[a.partner * g.cols + b.partner] as number);
    return sum;
  };
  for (const k of exchanges.choices.keys()) {
    for (const [i, h] of across.entries()) {
      expect(found.data[2 * k + i]).toBeCloseTo(slow(h, k, { of: test }), 9);
      const moves: Scale = (a, b) => (scale(a, b) === 0 ? 0 : 1);
      const keeps: Scale = (a, b) => 1 - moves(a, b);
      expect(others.data[2 * k + i]).toBeCloseTo(slow(h, k, { of: test, scaled: moves }), 9);
      expect(kept.data[2 * k + i]).toBeCloseTo(slow(h, k, { of: test, scaled: keeps }), 9);
      expect(apart.data[2 * k + i]).toBeCloseTo(
        slow(h, k, { of: test, scaled: (a, b) => Math.sqrt(scale(a, b)) }),
        9,
      );
    }
    expect(within.data[k]).toBeCloseTo(slow(square, k, { of: train }), 8);
    expect(apartWithin.data[k]).toBeCloseTo(slow(square, k, { of: train, scaled: scale }), 8);
  }
});
