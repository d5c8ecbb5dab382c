/** The window's CKA equals CKA over the last steps, computed anew. */
import { expect, it } from 'vitest';
import { cka } from '../../../../src/synchrony/measures/cka.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import { createStepWindow } from '../../../../src/synchrony/steps/step-window.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';

const random = seededRandom(1);
const algebra = createPlainAlgebra();
const rows = (count: number, dims: number): number[][] =>
  Array.from({ length: count }, () => Array.from({ length: dims }, () => 5 + random.normal()));
const matrix = (of: number[][]): Matrix => ({
  rows: of.length,
  cols: of[0]?.length ?? 0,
  data: Float64Array.from(of.flat()),
});

it.each([1, 5, 20])(
  'the step window follows the last 16 steps of both streams, %i at a time',
  async (batch) => {
    const a = rows(60, 7);
    const b = a.map((row) => row.slice(0, 4).map((value) => value + random.normal()));
    const window = createStepWindow(16, algebra);
    for (let end = batch; end <= 60; end += batch) {
      await window.add(matrix(a.slice(end - batch, end)), matrix(b.slice(end - batch, end)));
      const from = Math.max(0, end - 16);
      const held = { a: matrix(a.slice(from, end)), b: matrix(b.slice(from, end)) };
      expect(window.rows()).toEqual(held);
      expect(window.steps).toBe(end - from);
      const fresh = await cka.compute(held.a, held.b, { algebra });
      if ('value' in fresh) expect(window.cka()).toBeCloseTo(fresh.value, 9);
      else expect(window.cka()).toBeUndefined();
    }
  },
);

it('the step window gives no value for a stream that does not vary or is not finite', async () => {
  const window = createStepWindow(8, algebra);
  await window.add(matrix(rows(8, 3)), matrix(rows(8, 2).map(() => [4, 4])));
  expect(window.cka()).toBeUndefined();
  await window.add(matrix([[Number.NaN, 1, 2]]), matrix([[1, 2]]));
  expect(window.cka()).toBeUndefined();
});
