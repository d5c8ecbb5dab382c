/** What is left of states beyond text, beside fits made one by one. */
import { expect, it } from 'vitest';
import { takeRows, transpose, zeros } from '../../../../src/numeric/matrix.ts';
import { solveSymmetric } from '../../../../src/numeric/cholesky.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { chooseBlocks, type Blocks } from '../../../../src/synchrony/strict/blocks.ts';
import { centreBlocks } from '../../../../src/synchrony/strict/standardise.ts';
import { isTall, tallTextResiduals } from '../../../../src/synchrony/strict/tall-text-residuals.ts';
import { textResiduals, type TextInput } from '../../../../src/synchrony/strict/text-residuals.ts';

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

function normals(cols: number, seed: number): Matrix {
  const random = seededRandom(seed);
  const m = zeros(N, cols);
  for (let at = 0; at < m.data.length; at++) m.data[at] = random.normal();
  return centreBlocks(m, used);
}

const rowsOf = ({ blocks }: Blocks, keep: (block: number) => boolean): number[] =>
  blocks.flatMap(({ start, episodes, turns }, block) =>
    keep(block) ? Array.from({ length: episodes * turns }, (_, at) => start + at) : [],
  );

/** The residual of one block by a ridge on the rows of some others, at a penalty. */
async function plainly(
  text: Matrix,
  states: Matrix,
  of: { block: number; fitted: number[]; penalty: number },
) {
  const rows = rowsOf(used, (block) => of.fitted.includes(block));
  const [x, y] = [takeRows(text, rows), takeRows(states, rows)];
  const map = solveSymmetric(
    await algebra.gram(transpose(x)),
    of.penalty,
    await algebra.multiply(transpose(x), y),
  );
  const own = rowsOf(used, (block) => block === of.block);
  const fitted = await algebra.multiply(takeRows(text, own), map);
  return takeRows(states, own).data.map((value, at) => value - (fitted.data[at] as number));
}

const byRows = (states: Matrix, input: TextInput): Promise<Matrix[]> => textResiduals([states], input);
const bySums = async (states: Matrix, input: TextInput): Promise<Matrix[]> =>
  (await tallTextResiduals([states], input))(input.held);

// A scenario has 12 rows: more than the text has components, or fewer.
it.each([
  ['by rows', 3, byRows],
  ['by rows', 20, byRows],
  ['by sums', 3, bySums],
])(
  'leaves of every row what a fit without its scenario leaves: %s, text of %i columns',
  async (_, cols, of) => {
    const text = normals(cols, 1);
    const random = seededRandom(9);
    const states = normals(2, 2);
    for (let r = 0; r < N; r++)
      states.data[2 * r] =
        (states.data[2 * r] as number) + 2 * (text.data[cols * r] as number) + random.normal() / 9;
    expect(isTall(used, text)).toBe(cols < 12);
    const [rest] = await of(states, { used, text, held: [4], algebra });
    const train = [0, 1, 2, 3];
    const gram = await algebra.gram(
      transpose(
        takeRows(
          text,
          rowsOf(used, (block) => block < 4),
        ),
      ),
    );
    const diagonal = gram.data.filter((_, at) => at % (cols + 1) === 0);
    const mean = diagonal.reduce((sum, value) => sum + value, 0) / cols;
    const errors = [0.03, 0.1, 0.3, 1, 3, 10, 100, 1e4].map(async (share) => {
      const penalty = share * mean;
      const own = await Promise.all(
        train.map((block) =>
          plainly(text, states, { block, fitted: train.filter((other) => other !== block), penalty }),
        ),
      );
      const held = await plainly(text, states, { block: 4, fitted: train, penalty });
      const all = own.flatMap((part) => [...part]);
      return { rows: [...all, ...held], error: all.reduce((sum, value) => sum + value * value, 0) };
    });
    const [best] = (await Promise.all(errors)).toSorted((a, b) => a.error - b.error);
    for (const [at, value] of best!.rows.entries()) expect(rest?.data[at]).toBeCloseTo(value, 7);
  },
);

it('takes nothing out where the text says nothing', async () => {
  const [text, states] = [normals(2, 5), normals(2, 6)];
  const [rest] = await textResiduals([states], { used, text, held: [0], algebra });
  const energy = (m: Matrix | undefined): number => m!.data.reduce((sum, value) => sum + value * value, 0);
  expect(energy(rest) / energy(states)).toBeGreaterThan(0.97);
});

it('chooses the same penalty by sums as by rows where the text says nothing', async () => {
  const [text, states] = [normals(4, 7), normals(3, 8)];
  const input = { used, text, held: [2], algebra };
  const [rows, sums] = [await byRows(states, input), await bySums(states, input)];
  for (const [at, value] of (rows[0] as Matrix).data.entries())
    expect(sums[0]?.data[at]).toBeCloseTo(value, 7);
});
