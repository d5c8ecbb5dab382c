/** Compares leading components with eigenvectors. */
import { describe, expect, it } from 'vitest';
import {
  leadingComponents,
  leadingKernelComponents,
  leadingRowComponents,
  settledComponents,
} from '../../../src/numeric/principal-components.ts';
import { crossProduct, productTransposed, transpose, zeros } from '../../../src/numeric/matrix.ts';
import { symmetricEigen } from '../../../src/numeric/eigen.ts';
import { createPlainAlgebra } from '../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../src/numeric/random.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';

const algebra = createPlainAlgebra();

/** White noise: no component stands out, so few iterations find other ones. */
function flatGram(): Matrix {
  const random = seededRandom(5);
  const rows = zeros(64, 120);
  for (let at = 0; at < rows.data.length; at++) rows.data[at] = random.normal();
  return crossProduct(rows, rows);
}

/** ‖K w − (w·w) w‖ / ‖w‖³ for each column: 0 if w is an eigenvector times the square root of its eigenvalue. */
function misfits(gram: Matrix, scores: Matrix): number[] {
  const columns = transpose(scores);
  return Array.from({ length: columns.rows }, (_, k) => {
    const w = columns.data.subarray(k * columns.cols, (k + 1) * columns.cols);
    const size = w.reduce((sum, value) => sum + value * value, 0);
    const off = w.map((own, r) => {
      const row = gram.data.subarray(r * gram.cols, (r + 1) * gram.cols);
      return row.reduce((sum, value, c) => sum + value * (w[c] as number), 0) - size * own;
    });
    return Math.hypot(...off) / size ** 1.5;
  });
}

/** Rows [6, 6] of which the last is a multiple of the first. */
function dependentRows(seed: number): Matrix {
  const random = seededRandom(seed);
  const rows = zeros(6, 6);
  for (let at = 0; at < rows.data.length; at++) rows.data[at] = random.normal();
  for (let c = 0; c < 6; c++) rows.data[30 + c] = 1.7 * (rows.data[c] as number);
  return rows;
}

/** Squares and products of the directions that an iteration makes of these images. */
async function askedDirections(images: Matrix): Promise<{ squares: number[]; products: number[] }> {
  const asked: Matrix[] = [];
  const times = (directions: Matrix): Promise<Matrix> => {
    asked.push(directions);
    return Promise.resolve(images);
  };
  const n = images.rows;
  await leadingKernelComponents({ n, times }, n, algebra);
  const directions = asked[1] as Matrix;
  const { data } = productTransposed(directions, directions);
  const isSquare = (at: number): boolean => at % (n + 1) === 0;
  return {
    squares: [...data].filter((_, at) => isSquare(at)),
    products: [...data].filter((_, at) => !isSquare(at)),
  };
}

describe('leading principal components', () => {
  it('are eigenvectors after convergence, largest first, with length √eigenvalue', async () => {
    const gram = flatGram();
    const scores = await settledComponents(gram, 4, algebra);
    for (const misfit of misfits(gram, scores)) expect(misfit).toBeLessThan(1e-6);
    const sizes = [0, 1, 2, 3].map((k) =>
      scores.data.filter((_, at) => at % 4 === k).reduce((s, v) => s + v * v, 0),
    );
    expect(sizes).toEqual([...sizes].sort((x, y) => y - x));
  });

  it('are only approximate after a few iterations on a flat spectrum', async () => {
    const gram = flatGram();
    expect(Math.max(...misfits(gram, await leadingComponents(gram, 4, algebra)))).toBeGreaterThan(0.01);
  });

  it.each([
    ['fewer dims than rows, without the Gram matrix', 100, 20],
    ['more dims than rows, by the Gram matrix', 40, 600],
  ])('are the same from the rows as from their Gram matrix: %s', async (_, n, dims) => {
    const random = seededRandom(n, dims);
    const rows = zeros(n, dims);
    for (let at = 0; at < rows.data.length; at++) rows.data[at] = random.normal() / (1 + (at % dims));
    const gram = productTransposed(rows, rows);
    const [own, twin] = [
      await leadingRowComponents(rows, 5, algebra),
      await leadingComponents(gram, 5, algebra),
    ];
    expect(own.cols).toBe(5);
    const products = [own, twin].map((w) => productTransposed(w, w).data);
    for (const [at, value] of (products[0] as Float64Array).entries())
      expect(value).toBeCloseTo(products[1]?.[at] as number, 9);
  });

  it('are those of a steep spectrum, whose images are nearly dependent', async () => {
    const random = seededRandom(3);
    const rows = zeros(40, 40);
    for (let at = 0; at < rows.data.length; at++) rows.data[at] = random.normal() * 10 ** (-(at % 40) / 2);
    const { values } = symmetricEigen(productTransposed(rows, rows));
    const scores = await leadingRowComponents(rows, 6, algebra);
    expect(scores.cols).toBe(6);
    const products = crossProduct(scores, scores);
    for (let k = 0; k < 6; k++)
      for (let other = 0; other <= k; other++) {
        const size = Math.sqrt((values[k] as number) * (values[other] as number));
        const wanted = k === other ? 1 : 0;
        expect((products.data[k * 6 + other] as number) / size).toBeCloseTo(wanted, 8);
      }
  });

  // Rounding decides whether a dependent row seems to have something of its own, so there are many.
  it('come of orthonormal directions, and of none for an image in the span of those before it', async () => {
    for (let seed = 1; seed <= 40; seed++) {
      const { squares, products } = await askedDirections(dependentRows(seed));
      for (const square of squares.slice(0, -1)) expect(square).toBeCloseTo(1, 12);
      expect(squares.at(-1)).toBe(0);
      for (const product of products) expect(Math.abs(product)).toBeLessThan(1e-12);
    }
  });

  it('are no more than the rank of the matrix', async () => {
    const one = zeros(3, 3);
    one.data.fill(2);
    expect((await settledComponents(one, 2, algebra)).cols).toBe(1);
  });
});
