import { describe, expect, it } from 'vitest';
import { symmetricEigen } from '../../../src/numeric/eigen.ts';
import { product, productTransposed, transpose, zeros } from '../../../src/numeric/matrix.ts';
import { seededRandom } from '../../../src/numeric/random.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';

/** The slow twin: Jacobi rotations until nothing is left beside the diagonal. */
function jacobiValues(symmetric: Matrix): number[] {
  const n = symmetric.rows;
  const at = (m: Matrix, r: number, c: number): number => m.data[r * n + c] as number;
  let a = symmetric;
  for (let sweep = 0; sweep < 30; sweep++)
    for (let p = 0; p < n; p++)
      for (let q = p + 1; q < n; q++) {
        if (at(a, p, q) === 0) continue;
        const theta = Math.atan2(2 * at(a, p, q), at(a, q, q) - at(a, p, p)) / 2;
        const j = zeros(n, n);
        for (let k = 0; k < n; k++) j.data[k * n + k] = 1;
        j.data[p * n + p] = j.data[q * n + q] = Math.cos(theta);
        j.data[p * n + q] = Math.sin(theta);
        j.data[q * n + p] = -Math.sin(theta);
        a = product(transpose(j), product(a, j));
      }
  return Array.from({ length: n }, (_, k) => at(a, k, k)).sort((x, y) => y - x);
}

function gramOf(n: number, rank: number, seed: number): Matrix {
  const random = seededRandom(seed, n);
  const x = zeros(n, rank);
  for (let k = 0; k < x.data.length; k++) x.data[k] = random.normal() * 10 ** -((k % rank) / 4);
  return productTransposed(x, x);
}

const WORLDS: [string, Matrix][] = [
  ['one row', { rows: 1, cols: 1, data: Float64Array.of(-3) }],
  ['two rows', { rows: 2, cols: 2, data: Float64Array.of(1, 2, 2, -5) }],
  ['nothing', zeros(5, 5)],
  ['a diagonal', { rows: 3, cols: 3, data: Float64Array.of(2, 0, 0, 0, 7, 0, 0, 0, -1) }],
  ['equal eigenvalues', { rows: 3, cols: 3, data: Float64Array.of(2, 1, 1, 1, 2, 1, 1, 1, 2) }],
  ['a Gram matrix', gramOf(9, 9, 1)],
  ['a Gram matrix of low rank', gramOf(12, 4, 2)],
];

describe('symmetricEigen', () => {
  it.each(WORLDS)('gives the eigenvalues that Jacobi rotations give: %s', (_, m) => {
    const { values } = symmetricEigen(m);
    const largest = Math.max(1, ...m.data.map(Math.abs));
    for (const [k, value] of jacobiValues(m).entries())
      expect(Math.abs((values[k] as number) - value) / largest).toBeLessThan(1e-12);
  });

  it.each<[string, Matrix]>([
    ...WORLDS,
    ['72 rows', gramOf(72, 72, 3)],
    ['72 rows of rank 20', gramOf(72, 20, 4)],
  ])('gives orthonormal vectors that make the matrix diagonal: %s', (_, m) => {
    const { values, vectors } = symmetricEigen(m);
    const n = m.rows;
    const largest = Math.max(1, ...m.data.map(Math.abs));
    const [own, image] = [product(transpose(vectors), vectors), product(m, vectors)];
    for (let r = 0; r < n; r++)
      for (let c = 0; c < n; c++) {
        expect(Math.abs((own.data[r * n + c] as number) - (r === c ? 1 : 0))).toBeLessThan(1e-12);
        const expected = (vectors.data[r * n + c] as number) * (values[c] as number);
        expect(Math.abs((image.data[r * n + c] as number) - expected) / largest).toBeLessThan(1e-12);
      }
    for (let k = 1; k < n; k++) expect(values[k]).toBeLessThanOrEqual(values[k - 1] as number);
  });
});
