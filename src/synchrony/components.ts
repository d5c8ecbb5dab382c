/**
 * Leading principal components of rows that are known by their Gram matrix only: block power iteration, then Rayleigh-Ritz.
 * What comes back are scores [n, k] with W Wᵀ ≈ K; exact where K has no more than k dimensions.
 */
import { symmetricEigen } from './eigen.ts';
import { crossProduct, product, zeros } from './matrix.ts';
import { seededRandom } from './random.ts';
import type { LinearAlgebra, Matrix } from './types.ts';

const ITERATIONS = 4;
const OVERSAMPLING = 8;
const RANK_TOLERANCE = 1e-11;

export async function leadingComponents(
  gram: Matrix,
  wanted: number,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const n = gram.rows;
  const width = Math.min(n, wanted + OVERSAMPLING);
  const random = seededRandom(n, width);
  let basis = zeros(n, width);
  for (let at = 0; at < basis.data.length; at++) basis.data[at] = random.normal();
  let image = await algebra.multiply(gram, basis);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) {
    basis = orthonormal(image);
    image = await algebra.multiply(gram, basis);
  }
  const { values, vectors } = symmetricEigen(crossProduct(basis, image));
  const largest = values[0] ?? 0;
  const kept = values.filter((value) => value > RANK_TOLERANCE * largest).length;
  return product(basis, scaledVectors(vectors, values, Math.min(wanted, kept)));
}

/** The first `count` eigenvectors, each times the root of its value. */
function scaledVectors(vectors: Matrix, values: Float64Array, count: number): Matrix {
  const out = zeros(vectors.rows, count);
  for (let r = 0; r < vectors.rows; r++) {
    for (let k = 0; k < count; k++) {
      out.data[r * count + k] =
        (vectors.data[r * vectors.cols + k] as number) * Math.sqrt(values[k] as number);
    }
  }
  return out;
}

/** Columns made orthonormal, twice over for safety; a column that the others span becomes zero. */
function orthonormal(m: Matrix): Matrix {
  // Works on the transpose, where a column is contiguous.
  const columns = Array.from({ length: m.cols }, (_, c) =>
    Float64Array.from({ length: m.rows }, (__, r) => m.data[r * m.cols + c] as number),
  );
  for (const [k, column] of columns.entries()) {
    const before = norm(column);
    for (let pass = 0; pass < 2; pass++) {
      for (let other = 0; other < k; other++) removePart(column, columns[other] as Float64Array);
    }
    const after = norm(column);
    const scale = after > RANK_TOLERANCE * before ? 1 / after : 0;
    for (let r = 0; r < column.length; r++) column[r] = (column[r] as number) * scale;
  }
  const out = zeros(m.rows, m.cols);
  for (const [c, column] of columns.entries()) {
    for (let r = 0; r < m.rows; r++) out.data[r * m.cols + c] = column[r] as number;
  }
  return out;
}

function removePart(column: Float64Array, unit: Float64Array): void {
  const along = dot(column, unit);
  for (let r = 0; r < column.length; r++) column[r] = (column[r] as number) - along * (unit[r] as number);
}

function norm(x: Float64Array): number {
  return Math.sqrt(dot(x, x));
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let r = 0; r < x.length; r++) sum += (x[r] as number) * (y[r] as number);
  return sum;
}
