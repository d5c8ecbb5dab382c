/** The analyzer's matrix products on a provider: error against float64 on the CPU, and speed including conversions. */
import { createOrtAlgebra, type OrtAlgebra } from '../../src/numeric/ort/ort-algebra.ts';
import type { Provider } from '../../src/model/types.ts';
import { transpose } from '../../src/numeric/matrix.ts';
import { seededRandom } from '../../src/numeric/random.ts';
import type { Matrix } from '../../src/numeric/linear-algebra.ts';
import { ofLargest } from '../../test/fixtures/model/model-agreement.ts';
import { compare, median } from '../model/measure.ts';
import type { Row } from './tasks.ts';

const [ROWS, INNER, COLS] = [2048, 4096, 2048];
const ROUNDS = 3;
const SIZE = `${ROWS} × ${INNER} by ${INNER} × ${COLS}`;

export async function measureProducts(provider: Provider): Promise<Row[]> {
  if (provider !== 'cpu' && provider !== 'webgpu' && provider !== 'cuda')
    return [['products', SIZE, 'not offered there', '', '']];
  const [a, b] = [randomMatrix(ROWS, INNER, 1), randomMatrix(INNER, COLS, 2)];
  const there = await createOrtAlgebra({ provider });
  const exact = await createOrtAlgebra();
  const single = await createOrtAlgebra({ elements: 'float32' });
  const expected = await exact.multiply(a, b);
  const error = async (algebra: OrtAlgebra): Promise<string> =>
    (await worstError(algebra, { a, b, expected })).toExponential(1);
  const errors = [await error(there), await error(single)] as const;
  const ms = await compare(ROUNDS, {
    there: () => timeProduct(there, a, b),
    exact: () => timeProduct(exact, a, b),
    single: () => timeProduct(single, a, b),
  });
  for (const algebra of [there, exact, single]) await algebra.close();
  const rate = (times: readonly number[]): string =>
    `${((2 * ROWS * INNER * COLS) / median(times) / 1e6).toFixed(0)} GFLOP/s`;
  const name = `products, ${there.elements} there`;
  return [
    [name, `${SIZE}: A·B, Aᵀ·B, A·Bᵀ, difference of the largest`, errors[0], `${errors[1]} in float32`, ''],
    [name, SIZE, rate(ms.there), `${rate(ms.exact)} in float64, ${rate(ms.single)} in float32`, ''],
  ];
}

interface Factors {
  a: Matrix;
  b: Matrix;
  expected: Matrix;
}

/** Largest error of the same product in each of its three forms. */
async function worstError(algebra: OrtAlgebra, { a, b, expected }: Factors): Promise<number> {
  const forms = [
    await algebra.multiply(a, b),
    await algebra.crossMultiply(transpose(a), b),
    await algebra.multiplyTransposed(a, transpose(b)),
  ];
  return Math.max(...forms.map(({ data }) => ofLargest(data, expected.data)));
}

async function timeProduct(algebra: OrtAlgebra, a: Matrix, b: Matrix): Promise<number> {
  const start = performance.now();
  await algebra.multiply(a, b);
  return performance.now() - start;
}

function randomMatrix(rows: number, cols: number, seed: number): Matrix {
  const random = seededRandom(seed);
  return { rows, cols, data: Float64Array.from({ length: rows * cols }, () => random.uniform() - 0.5) };
}
