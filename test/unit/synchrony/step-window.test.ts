/** The window's CKA is the CKA of the last steps, computed anew. */
import { expect, it } from 'vitest';
import { cka } from '../../../src/synchrony/measures/cka.ts';
import { createPlainAlgebra } from '../../../src/synchrony/plain-algebra.ts';
import { seededRandom } from '../../../src/synchrony/random.ts';
import { createStepWindow } from '../../../src/synchrony/step-window.ts';
import type { Matrix } from '../../../src/synchrony/types.ts';

const random = seededRandom(1);
const rows = (count: number, dims: number): number[][] =>
  Array.from({ length: count }, () => Array.from({ length: dims }, () => 5 + random.normal()));
const matrix = (of: number[][]): Matrix => ({
  rows: of.length,
  cols: of[0]?.length ?? 0,
  data: Float64Array.from(of.flat()),
});

it('follows the last steps of both streams', async () => {
  const a = rows(50, 7);
  const b = a.map((row) => row.slice(0, 4).map((value) => value + random.normal()));
  const window = createStepWindow(16);
  for (const [step, row] of a.entries()) {
    window.add(row, b[step] as number[]);
    const from = Math.max(0, step - 15);
    const fresh = await cka.compute(matrix(a.slice(from, step + 1)), matrix(b.slice(from, step + 1)), {
      algebra: createPlainAlgebra(),
    });
    expect(window.steps).toBe(step + 1 - from);
    if ('value' in fresh) expect(window.cka()).toBeCloseTo(fresh.value, 9);
    else expect(window.cka()).toBeUndefined();
  }
});

it('has no value for a stream that does not vary or is not finite', () => {
  const window = createStepWindow(8);
  for (const row of rows(8, 3)) window.add(row, [4, 4]);
  expect(window.cka()).toBeUndefined();
  window.add([Number.NaN, 1, 2], [1, 2]);
  expect(window.cka()).toBeUndefined();
});
