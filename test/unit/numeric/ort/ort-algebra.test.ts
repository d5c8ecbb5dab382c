/** The fast backend agrees with plain TypeScript at sizes on both sides of every threshold. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOrtAlgebra, type OrtAlgebra } from '../../../../src/numeric/ort/ort-algebra.ts';
import { zeros } from '../../../../src/numeric/matrix.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../../src/numeric/random.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';

const plain = createPlainAlgebra();
const random = seededRandom(1);
let fast: OrtAlgebra;

function normal(rows: number, cols: number): Matrix {
  const m = zeros(rows, cols);
  for (let at = 0; at < m.data.length; at++) m.data[at] = random.normal();
  return m;
}

function farthest(a: Matrix, b: Matrix): number {
  expect([a.rows, a.cols]).toEqual([b.rows, b.cols]);
  return a.data.reduce((worst, value, at) => Math.max(worst, Math.abs(value - (b.data[at] as number))), 0);
}

beforeAll(async () => {
  fast = await createOrtAlgebra({ threads: 1 });
});
afterAll(() => fast.close());

describe('the ONNX Runtime backend in float64', () => {
  it.each([
    [3, 4, 5],
    [70, 40, 60],
    [300, 33, 270],
  ])('multiplies %i × %i by %i as plain TypeScript does', async (n, k, m) => {
    const a = normal(n, k);
    expect(
      farthest(await fast.multiply(a, normal(k, m)), await plain.multiply(a, normal(k, m))),
    ).toBeGreaterThan(1e-3);
    const b = normal(k, m);
    expect(farthest(await fast.multiply(a, b), await plain.multiply(a, b))).toBeLessThan(1e-11);
    const across = normal(k, n);
    expect(farthest(await fast.crossMultiply(across, b), await plain.crossMultiply(across, b))).toBeLessThan(
      1e-11,
    );
    const c = normal(m, k);
    expect(farthest(await fast.multiplyTransposed(a, c), await plain.multiplyTransposed(a, c))).toBeLessThan(
      1e-11,
    );
  });

  it.each([5, 255, 256, 257, 530])('makes a Gram matrix of %i rows, exactly symmetric', async (n) => {
    const a = normal(n, 48);
    const g = await fast.gram(a);
    expect(farthest(g, await plain.gram(a))).toBeLessThan(1e-11);
    for (let r = 0; r < n; r += 7)
      for (let c = 0; c < n; c += 5) expect(g.data[r * n + c]).toBe(g.data[c * n + r]);
  });

  it.each([40, 64, 65, 128, 161, 300])('inverts a ridge system of %i rows', async (n) => {
    const s = await plain.gram(normal(n, n - 3));
    const inverse = await fast.invertRidge(s, 0.1);
    const back = await plain.multiply(s, inverse);
    for (let at = 0; at < back.data.length; at++) {
      const unit = at % (n + 1) === 0 ? 1 : 0;
      expect((back.data[at] as number) + 0.1 * (inverse.data[at] as number)).toBeCloseTo(unit, 8);
    }
    expect(farthest(inverse, await plain.invertRidge(s, 0.1))).toBeLessThan(1e-8);
  });

  it('gives a finite inverse of a system that is singular to rounding', async () => {
    const s = await plain.gram(normal(200, 3));
    const inverse = await fast.invertRidge(s, 0);
    expect(inverse.data.every(Number.isFinite)).toBe(true);
    expect(await fast.invertRidge(s, 0, s.data)).toEqual(inverse);
  });

  it.each([60, 300, 700])('writes the inverse of %i rows over the system itself', async (n) => {
    const s = await plain.gram(normal(n, n));
    const inverse = await fast.invertRidge(s, 0.1);
    const there = await fast.invertRidge(s, 0.1, s.data);
    expect(there).toEqual(inverse);
    expect(there.data).toBe(s.data);
  });

  it('runs concurrent operations without mixing up their memory', async () => {
    const [a, b] = [normal(400, 30), normal(350, 20)];
    const weights = [normal(300, 100), normal(310, 40)] as const;
    const systems = [await plain.gram(normal(400, 400)), await plain.gram(normal(330, 330))];
    const works = [
      () => fast.gram(a),
      () => fast.squaredErrors([weights[0]], [a]),
      () => fast.squaredErrors([weights[1]], [b, b]),
      () => fast.invertKernel(a, { lambda: 0.1, constant: 2 }),
      ...systems.map((s) => () => fast.invertRidge(s, 0.1)),
    ];
    const apart = [];
    for (const work of works) apart.push(await work());
    expect(await Promise.all(works.map((work) => work()))).toEqual(apart);
  });

  it.each([
    [20, 4],
    [128, 64],
    [129, 1],
    [300, 290],
    [900, 200],
  ])('gives the squared errors of %i training and %i test rows for all pairs', async (train, test) => {
    const weights = [normal(train, test), normal(train, test)];
    const targets = [33, 2, 64].map((cols) => normal(train + test, cols));
    const wanted = await plain.squaredErrors(weights, targets);
    const found = await fast.squaredErrors(weights, targets);
    expect([found.rows, found.cols]).toEqual([2, 3]);
    for (const [at, value] of found.data.entries())
      expect(value / (wanted.data[at] as number)).toBeCloseTo(1, 12);
  });

  it.each([30, 64, 170, 400])('inverts a kernel of %i rows', async (n) => {
    const x = normal(n, n - 5);
    const found = await fast.invertKernel(x, { lambda: 0.5, constant: 3 });
    expect(farthest(found, await plain.invertKernel(x, { lambda: 0.5, constant: 3 }))).toBeLessThan(1e-9);
    const other = await plain.invertKernel(x, { lambda: 0.5, constant: 0 });
    expect(farthest(found, other)).toBeGreaterThan(1e-4);
  });

  it.each([40, 65, 200])('gives the inverse factor of %i rows', async (n) => {
    const s = await plain.gram(normal(n, n + 5));
    const found = await fast.inverseFactor(s, 0.5);
    expect(farthest(found, await plain.inverseFactor(s, 0.5))).toBeLessThan(1e-9);
    const inverse = await plain.crossMultiply(found, found);
    expect(farthest(inverse, await plain.invertRidge(s, 0.5))).toBeLessThan(1e-9);
  });

  it('gives a finite inverse of a kernel that is singular to rounding', async () => {
    const found = await fast.invertKernel(normal(200, 3), { lambda: 0, constant: 0 });
    expect(found.data.every(Number.isFinite)).toBe(true);
  });
});

it('the backend in float32, as on WebGPU, is close to float64 and reports its type', async () => {
  const single = await createOrtAlgebra({ threads: 1, elements: 'float32' });
  const a = normal(200, 64);
  const error = farthest(await single.gram(a), await plain.gram(a));
  expect(single.elements).toBe('float32');
  expect(error).toBeLessThan(1e-3);
  expect(error).toBeGreaterThan(1e-9);
  await single.close();
});
