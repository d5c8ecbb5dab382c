/**
 * R² of states of which two dims are far larger than the others: along an axis, rotated, or nearly equal to
 * each other. The figures are those of ridge regression with a free intercept by elimination with 60 decimal
 * digits (Python's `decimal`), with 90 training rows and 30 test rows.
 */
import { afterAll, describe, expect, it } from 'vitest';
import { createOrtAlgebra } from '../../../../src/numeric/ort/ort-algebra.ts';
import { columnMeans, scaleColumns } from '../../../../src/numeric/columns.ts';
import { zeros } from '../../../../src/numeric/matrix.ts';
import { paperScore } from '../../../../src/synchrony/syncr2/paper-mode.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { sourceInverse } from '../../../../src/synchrony/syncr2/source-inverse.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';
import type { TurnPairs } from '../../../../src/synchrony/types.ts';

const N = 120;
const fast = await createOrtAlgebra({ threads: 1 });
afterAll(() => fast.close());
const backends = { 'plain TypeScript': createPlainAlgebra(), 'ONNX Runtime': fast };

type Kind = 'axes' | 'rotated' | 'twins';

/** Kind, dims, ratio of sizes, R², and its tolerance. */
const CASES: [Kind, number, number, number, number][] = [
  ['axes', 24, 1e3, 0.688056312255201, 1e-12],
  ['axes', 24, 1e5, 0.688056310884673, 1e-12],
  ['rotated', 24, 1e3, 0.688056312255201, 1e-12],
  ['rotated', 24, 1e5, 0.688056310884678, 1e-9],
  ['twins', 24, 1e3, 0.686743892896023, 1e-12],
  ['twins', 24, 1e5, 0.688056194439659, 1e-9],
  ['axes', 70, 1e3, 0.0809856951017056, 1e-12],
  ['axes', 70, 1e5, 0.0809856973715043, 1e-12],
  ['rotated', 70, 1e3, 0.0809856951017055, 1e-12],
  ['rotated', 70, 1e5, 0.0809856973715177, 1e-9],
  ['twins', 70, 1e3, 0.0690507518778031, 1e-12],
  ['twins', 70, 1e5, 0.0809846947080608, 1e-9],
  // More dims than training rows.
  ['axes', 110, 1e3, 0.0387160006403528, 1e-9],
  ['rotated', 110, 1e3, 0.0387160006403529, 1e-9],
  ['twins', 110, 1e3, -0.0153605215027668, 1e-9],
];

/** Computed in whole numbers, so that Python gives the same to the last bit. */
function spread(rows: number, cols: number, salt: number): Matrix {
  const m = zeros(rows, cols);
  for (let k = 0; k < m.data.length; k++)
    m.data[k] = ((k * k * 7919 + k * 104_729 + salt * 15_485_863) % 1_000_003) / 1_000_003 - 0.5;
  return m;
}

function shaped(m: Matrix, kind: Kind, large: number): Matrix {
  const out = { ...m, data: m.data.slice() };
  for (let start = 0; start < out.data.length; start += m.cols) {
    const row = out.data.subarray(start, start + m.cols);
    const [first = 0, second = 0] = row;
    row[0] = first * large;
    row[1] = (kind === 'twins' ? first + 0.001 * second : second) * large;
    if (kind === 'rotated') mirror(row);
  }
  return out;
}

/** Reflected at the plane across (1, 2, 3 …). */
function mirror(row: Float64Array): void {
  let [across, square] = [0, 0];
  for (let c = 0; c < row.length; c++) {
    across += (row[c] as number) * (c + 1);
    square += (c + 1) * (c + 1);
  }
  const times = (2 * across) / square;
  for (let c = 0; c < row.length; c++) row[c] = (row[c] as number) - times * (c + 1);
}

function coupled(dims: number, kind: Kind, large: number): TurnPairs {
  const [x, noise, target] = [spread(N, dims, 1), spread(N, 6, 2), zeros(N, 6)];
  for (let r = 0; r < N; r++)
    for (let c = 0; c < 6; c++)
      target.data[r * 6 + c] = (x.data[r * dims + c] as number) + 0.5 * (noise.data[r * 6 + c] as number);
  const episode = Int32Array.from({ length: N }, (_, row) => Math.floor(row / 5));
  const rest = { scenario: episode, pair: episode, turn: episode, history: zeros(N, 0), reply: zeros(N, 0) };
  return { n: N, source: [shaped(x, kind, large)], target: [target], episode, ...rest };
}

describe.each(Object.entries(backends))('%s', (_, algebra) => {
  it.each(CASES)('gives the R² of exact arithmetic: %s, %i dims, %d times as large', async (...given) => {
    const [kind, dims, large, wanted, off] = given;
    const splits = [[0, 4, 8, 12, 16, 20]];
    const score = await paperScore(coupled(dims, kind, large), { algebra, splits, seed: 1 });
    if ('reason' in score) throw new Error(score.reason);
    expect(Math.abs(score.unclipped - wanted)).toBeLessThan(off);
  });

  it('gives each source layer the R² that it has alone, whatever the widths of the others', async () => {
    const [narrow, wide] = [coupled(8, 'axes', 10), coupled(100, 'axes', 10)];
    const options = { algebra, splits: [[0, 4, 8, 12, 16, 20]], seed: 1 };
    const mapOf = async (source: Matrix[]): Promise<number[]> => {
      const score = await paperScore({ ...narrow, source }, options);
      if ('reason' in score) throw new Error(score.reason);
      return [...score.map.data];
    };
    const layers = [...wide.source, ...narrow.source, ...wide.source];
    const alone = [...(await mapOf(wide.source)), ...(await mapOf(narrow.source))];
    const together = await mapOf(layers);
    for (const [at, value] of [alone[0], alone[1], alone[0]].entries())
      expect(together[at]).toBeCloseTo(value as number, 12);
  });

  it.each([20, 100])('equals the inverse without its part along 1, up to a factor: %i dims', async (dims) => {
    const m = spread(N, dims, 3);
    const scaling = { offset: columnMeans(m), factor: new Float64Array(dims).fill(1) };
    const layer = scaleColumns(m, scaling, { into: zeros(N, dims) });
    const lambda = 0.1;
    const found = await sourceInverse(layer, { lambda, trainingRows: 90 }, algebra);
    const whole = await algebra.invertRidge(await algebra.gram(layer), lambda);
    const factor = dims === 20 ? lambda : 1;
    for (const [at, value] of whole.data.entries()) {
      const wanted = factor * (value - 1 / (N * lambda));
      expect(found.data[at]).toBeCloseTo(wanted, 9);
    }
  });
});
