/**
 * R² of states some dims of which are 1e5 times the others. The figures are those of NumPy: ridge regression by elimination in 80 bits, with a
 * free intercept. Its singular values in 64 bits agree to 2e-11; the inverse by rows is off by 4e-7 to 2e-6.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { createOrtAlgebra } from '../../../src/compute/ort-algebra.ts';
import { zeros } from '../../../src/synchrony/matrix.ts';
import { paperScore } from '../../../src/synchrony/paper.ts';
import { createPlainAlgebra } from '../../../src/synchrony/plain-algebra.ts';
import { sourceInverse } from '../../../src/synchrony/source-inverse.ts';
import type { Matrix, TurnPairs } from '../../../src/synchrony/types.ts';

const N = 120;
const LARGE = 1e5;
const fast = await createOrtAlgebra({ threads: 1 });
afterAll(() => fast.close());
const backends = { 'plain TypeScript': createPlainAlgebra(), 'ONNX Runtime': fast };

/** Whole numbers all the way, so that NumPy has the same to the last bit. */
function spread(rows: number, cols: number, salt: number): Matrix {
  const m = zeros(rows, cols);
  for (let k = 0; k < m.data.length; k++)
    m.data[k] = ((k * k * 7919 + k * 104_729 + salt * 15_485_863) % 1_000_003) / 1_000_003 - 0.5;
  return m;
}

function coupled(dims: number): TurnPairs {
  const [x, noise] = [spread(N, dims, 1), spread(N, dims, 2)];
  const target = { ...x, data: x.data.map((value, at) => value + 0.5 * (noise.data[at] as number)) };
  const source = { ...x, data: x.data.map((value, at) => (at % dims < 2 ? LARGE * value : value)) };
  const episode = Int32Array.from({ length: N }, (_, row) => Math.floor(row / 5));
  const rest = { scenario: episode, pair: episode, turn: episode, history: zeros(N, 0), reply: zeros(N, 0) };
  return { n: N, source: [source], target: [target], episode, ...rest };
}

describe.each(Object.entries(backends))('%s', (_, algebra) => {
  it.each([
    [24, 0.594262413939139],
    [70, 0.212969719435763],
    [110, -0.273327194625192],
  ])('%i dims', async (dims, wanted) => {
    const splits = [[0, 4, 8, 12, 16, 20]];
    const score = await paperScore(coupled(dims), { algebra, splits, seed: 1 });
    if ('reason' in score) throw new Error(score.reason);
    expect(Math.abs(score.unclipped - wanted)).toBeLessThan(1e-10);
  });

  it.each([50, 100])('is the inverse without its part along 1, up to a factor: %i dims', async (dims) => {
    const layer = centred(spread(N, dims, 3));
    const lambda = 0.1;
    const [rows, cols] = [Int32Array.of(3, 50, 7), Int32Array.of(7, 119, 0, 3)];
    const found = await (await sourceInverse(layer, { lambda }, algebra)).block(rows, cols);
    const { data } = await algebra.invertRidge(await algebra.gram(layer), lambda);
    const wanted = [...rows].flatMap((row) =>
      [...cols].map((col) => (data[row * N + col] as number) - 1 / (N * lambda)),
    );
    const factor = (wanted[0] as number) / (found.data[0] as number);
    expect(factor).toBeCloseTo(2 * dims <= N ? 1 / lambda : 1, 9);
    for (const [at, value] of found.data.entries())
      expect(factor * value).toBeCloseTo(wanted[at] as number, 9);
  });
});

function centred(m: Matrix): Matrix {
  const means = Array.from({ length: m.cols }, (_, c) => {
    let sum = 0;
    for (let r = 0; r < m.rows; r++) sum += m.data[r * m.cols + c] as number;
    return sum / m.rows;
  });
  return { ...m, data: m.data.map((value, at) => value - (means[at % m.cols] as number)) };
}
