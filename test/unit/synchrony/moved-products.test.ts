/** Products under exchanges of episodes, worked out by blocks, are what row by row gives. */
import { expect, it } from 'vitest';
import { plantedWorld } from '../../../bench/planted.ts';
import { drawExchanges, type Exchanges, type Match } from '../../../src/synchrony/exchanges.ts';
import { symmetricProduct, zeros } from '../../../src/synchrony/matrix.ts';
import { movedProducts, sideOf } from '../../../src/synchrony/moved-products.ts';
import { createPlainAlgebra } from '../../../src/synchrony/plain-algebra.ts';
import { seededRandom } from '../../../src/synchrony/random.ts';
import { trainingRows } from '../../../src/synchrony/residuals.ts';
import { chooseRows, type StrictRows } from '../../../src/synchrony/strict-rows.ts';
import type { Matrix } from '../../../src/synchrony/types.ts';

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
    return at < 0 ? [] : [{ place, partner: match.partner[at] as number, weight: match.weight }];
  });
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
  const slow = (h: Matrix, k: number, of: Int32Array): number => {
    let sum = 0;
    for (const a of movesOf(exchanges, k, { rows, side: of }))
      for (const b of movesOf(exchanges, k, { rows, side: train }))
        sum +=
          a.weight *
          b.weight *
          (h.data[a.place * h.cols + b.place] as number) *
          (g.data[a.partner * g.cols + b.partner] as number);
    return sum;
  };
  for (const k of exchanges.choices.keys()) {
    for (const [i, h] of across.entries()) expect(found.data[2 * k + i]).toBeCloseTo(slow(h, k, test), 9);
    expect(within.data[k]).toBeCloseTo(slow(square, k, train), 8);
  }
});
