/** Dimensions and straightness of states beside values that NumPy gave, and where there is no number. */
import { describe, expect, it } from 'vitest';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import { dimensionsFor, straightness } from '../../../../src/synchrony/stats/state-geometry.ts';

const matrix = (rows: number, cols: number, at: (row: number, column: number) => number): Matrix => ({
  rows,
  cols,
  data: Float64Array.from({ length: rows * cols }, (_, k) => at(Math.floor(k / cols), k % cols)),
});

const waves = (rows: number, cols: number): Matrix =>
  matrix(
    rows,
    cols,
    (i, j) =>
      Math.sin(1.3 * i + 0.7 * j * j) +
      (0.8 * Math.cos(0.4 * i * (j + 1))) / (j + 1) +
      0.3 * i * Number(j % 3 === 0),
  );

const SHARES = [0.5, 0.9, 0.95, 0.99, 1];

describe('the geometry of states', () => {
  /**
   * s = numpy.linalg.svd(x - x.mean(0), compute_uv=False)**2;
   * numpy.searchsorted(numpy.cumsum(s)/s.sum(), q - 1e-12) + 1;
   * norm(x[-1] - x[0]) / norm(numpy.diff(x, axis=0), axis=1).sum()
   */
  it.each<[string, { rows: number; cols: number; dimensions: number[]; straight: number }]>([
    [
      'more states than dims',
      { rows: 12, cols: 5, dimensions: [1, 3, 3, 4, 5], straight: 0.26357069996400795 },
    ],
    [
      'fewer states than dims',
      { rows: 6, cols: 9, dimensions: [1, 2, 3, 3, 5], straight: 0.177955037974303 },
    ],
    ['many of both', { rows: 40, cols: 16, dimensions: [1, 1, 2, 3, 16], straight: 0.2122677667560776 }],
  ])('is that of NumPy for %s', (_what, { rows, cols, dimensions, straight }) => {
    expect(dimensionsFor(waves(rows, cols), SHARES)).toEqual(dimensions);
    expect(straightness(waves(rows, cols))).toBeCloseTo(straight, 12);
  });

  it('has one dimension and straightness 1 on a line, and does not depend on where its origin is', () => {
    const line = matrix(5, 3, (row, column) => 100 + row * (column + 1));
    expect(dimensionsFor(line, [0.9, 0.99])).toEqual([1, 1]);
    expect(straightness(line)).toBeCloseTo(1, 12);
    expect(straightness(matrix(3, 2, (row, column) => (row === 1 ? column + 1 : 0)))).toBe(0);
  });

  it.each<[string, Matrix, RegExp]>([
    ['two states', waves(2, 4), /takes 3 states, there are 2/],
    ['states that are all alike', matrix(4, 3, (_row, column) => column), /all alike/],
    ['a state that is not finite', matrix(4, 3, (row) => (row === 2 ? Number.NaN : row)), /not finite/],
  ])('has no number for %s', (_what, states, reason) => {
    for (const found of [dimensionsFor(states, [0.9]), straightness(states)])
      expect(found).toEqual({ reason: expect.stringMatching(reason) as string });
  });
});
