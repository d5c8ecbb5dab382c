/** Components of text features, whose kernel is made value by value where most values are 0. */
import { expect, it } from 'vitest';
import { zeros } from '../../../../src/numeric/matrix.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { chooseBlocks } from '../../../../src/synchrony/strict/blocks.ts';
import { centreBlocks } from '../../../../src/synchrony/strict/standardise.ts';
import { textComponents } from '../../../../src/synchrony/strict/text-components.ts';

const algebra = createPlainAlgebra();
const N = 5 * 3 * 4;
const label = (of: (row: number) => number): Int32Array =>
  Int32Array.from({ length: N }, (_, row) => of(row));
const used = chooseBlocks({
  scenario: label((row) => Math.floor(row / 12)),
  episode: label((row) => Math.floor(row / 4)),
  turn: label((row) => row % 4),
  pair: label(() => 0),
});

/** @param share of values that are not 0, by column */
function features(cols: number, share: (col: number) => number, seed: number): Matrix {
  const random = seededRandom(seed);
  const m = zeros(N, cols);
  for (let at = 0; at < m.data.length; at++)
    if (random.uniform() < share(at % cols)) m.data[at] = random.normal();
  return m;
}

it('spans the centred features of each kind at the same energy, whatever share of them is 0', async () => {
  const texts = [features(40, (col) => (col % 3 === 0 ? 0.9 : 0.1), 1), features(7, () => 1, 2)];
  const found = await textComponents(texts, used, algebra);
  const kernel = await algebra.gram(found);
  const wanted = zeros(N, N);
  for (const text of texts) {
    const own = await algebra.gram(centreBlocks(text, used));
    const energy = own.data.reduce((sum, value, at) => sum + (at % (N + 1) === 0 ? value : 0), 0);
    for (const [at, value] of own.data.entries()) wanted.data[at] = wanted.data[at]! + value / energy;
  }
  for (const [at, value] of wanted.data.entries()) expect(kernel.data[at]).toBeCloseTo(value, 9);
});

it('has no columns where the features do not vary within scenario and turn', async () => {
  const text = zeros(N, 30);
  for (let r = 0; r < N; r++) {
    const [scenario, turn] = [Math.floor(r / 12), r % 4];
    for (let c = 0; c < 30; c++)
      if ((scenario + turn + c) % 7 === 0) text.data[r * 30 + c] = 1 / (3 + scenario + turn);
  }
  expect((await textComponents([text], used, algebra)).cols).toBe(0);
});
