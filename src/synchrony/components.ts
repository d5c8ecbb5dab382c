/**
 * Leading principal components of rows that are known by their Gram matrix only: block power iteration, then Rayleigh-Ritz.
 * What comes back are scores [n, k] with W Wᵀ ≈ K; exact where K has no more than k dimensions.
 */
import { symmetricEigen } from './eigen.ts';
import { transpose, zeros } from './matrix.ts';
import { seededRandom } from './random.ts';
import { dotAt } from './row-product.ts';
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
    basis = await orthonormal(image, algebra);
    image = await algebra.multiply(gram, basis);
  }
  const { values, vectors } = symmetricEigen(await algebra.multiply(transpose(basis), image));
  const largest = values[0] ?? 0;
  const kept = values.filter((value) => value > RANK_TOLERANCE * largest).length;
  return algebra.multiply(basis, scaledVectors(vectors, values, Math.min(wanted, kept)));
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

/** Columns that are made orthonormal among themselves before the next so many are freed of them, as products. */
const BLOCK = 16;

/** Columns made orthonormal, twice over for safety; a column that the others span becomes zero. */
async function orthonormal(m: Matrix, algebra: LinearAlgebra): Promise<Matrix> {
  // Works on the transpose, where a column is contiguous.
  const rows = transpose(m);
  for (let start = 0; start < rows.rows; start += BLOCK) {
    const done = rowsFrom(rows, 0, start);
    const block = rowsFrom(rows, start, Math.min(rows.rows, start + BLOCK));
    for (let pass = 0; pass < 2; pass++) {
      const before = Float64Array.from({ length: block.rows }, (_, k) => norm(block, k));
      if (start > 0) await removeParts(block, done, algebra);
      for (let k = 0; k < block.rows; k++) orthonormaliseRow(block, k, before[k] as number);
    }
  }
  return transpose(rows);
}

/** Rows [start, end) as a view. */
function rowsFrom(m: Matrix, start: number, end: number): Matrix {
  return { rows: end - start, cols: m.cols, data: m.data.subarray(start * m.cols, end * m.cols) };
}

/** Takes the part along each unit row out of the rows of m. */
async function removeParts(m: Matrix, units: Matrix, algebra: LinearAlgebra): Promise<void> {
  const parts = await algebra.multiply(await algebra.multiplyTransposed(m, units), units);
  for (let at = 0; at < m.data.length; at++) m.data[at] = (m.data[at] as number) - (parts.data[at] as number);
}

/** Row k against the rows above it. */
function orthonormaliseRow(m: Matrix, k: number, before: number): void {
  const { cols, data } = m;
  const row = k * cols;
  for (let other = 0; other < row; other += cols) {
    const along = dotAt(data, data, { x: row, y: other, count: cols });
    for (let c = 0; c < cols; c++)
      data[row + c] = (data[row + c] as number) - along * (data[other + c] as number);
  }
  const after = norm(m, k);
  const scale = after > RANK_TOLERANCE * before ? 1 / after : 0;
  for (let c = 0; c < cols; c++) data[row + c] = (data[row + c] as number) * scale;
}

function norm({ data, cols }: Matrix, row: number): number {
  return Math.sqrt(dotAt(data, data, { x: row * cols, y: row * cols, count: cols }));
}
