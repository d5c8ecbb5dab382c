/**
 * Leading principal components of rows, by their Gram matrix K = X Xᵀ: block power iteration, then Rayleigh–Ritz.
 * The result are scores W [n, k] with W Wᵀ ≈ K; k is smaller than asked for if K has lower rank. Where it is less
 * work, K is not made: K · basis is X · (Xᵀ · basis).
 */
import { symmetricEigen, type Eigen } from './eigen.ts';
import { rowRange, subtractFrom, transpose, zeros } from './matrix.ts';
import { seededRandom } from './random.ts';
import { dotAt } from './row-product.ts';
import type { LinearAlgebra, Matrix } from './linear-algebra.ts';

const ITERATIONS = 4;
const MOST_ITERATIONS = 300;
/**
 * Relative change of the largest eigenvalues per iteration at which the iteration stops; the error of the
 * vectors is about its square root.
 */
const SETTLED = 1e-13;
const OVERSAMPLING = 8;
const RANK_TOLERANCE = 1e-11;

/**
 * Approximate leading components; exact if the rank of K is at most `wanted`. For uses where they only need to
 * be mostly removed.
 */
export async function leadingComponents(
  gram: Matrix,
  wanted: number,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  return leadingOf(byGram(gram, algebra), wanted, algebra);
}

/** The same of rows [n, dims] themselves. */
export async function leadingRowComponents(
  rows: Matrix,
  wanted: number,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const width = widthOf(rows.rows, wanted);
  const products = ITERATIONS + 1;
  const byRowsCost = products * 4 * rows.cols * width;
  const byGramCost = rows.rows * rows.cols + products * 2 * rows.rows * width;
  return byRowsCost < byGramCost
    ? leadingOf(byRows(rows, algebra), wanted, algebra)
    : leadingComponents(await algebra.gram(rows), wanted, algebra);
}

/** K as an operator. */
interface Kernel {
  n: number;
  /** K · m. */
  times(m: Matrix): Promise<Matrix>;
}

const byGram = (gram: Matrix, algebra: LinearAlgebra): Kernel => ({
  n: gram.rows,
  times: (m) => algebra.multiply(gram, m),
});

const byRows = (rows: Matrix, algebra: LinearAlgebra): Kernel => ({
  n: rows.rows,
  times: async (m) => algebra.multiply(rows, await algebra.crossMultiply(rows, m)),
});

async function leadingOf(kernel: Kernel, wanted: number, algebra: LinearAlgebra): Promise<Matrix> {
  let space = await startSpace(kernel, wanted);
  for (let iteration = 0; iteration < ITERATIONS; iteration++) space = await iterate(kernel, space, algebra);
  return scoresOf(space, await ritz(space, algebra), { wanted, algebra });
}

/**
 * The leading components to convergence, also where the spectrum is flat. For uses that interpret single
 * components.
 */
export async function settledComponents(
  gram: Matrix,
  wanted: number,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const kernel = byGram(gram, algebra);
  let space = await startSpace(kernel, wanted);
  let found = await ritz(space, algebra);
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    space = await iterate(kernel, space, algebra);
    const before = found;
    found = await ritz(space, algebra);
    if (haveSettled(before, found, wanted)) break;
  }
  return scoresOf(space, found, { wanted, algebra });
}

interface Space {
  /** [n, width], with orthonormal columns. */
  basis: Matrix;
  /** K · basis. */
  image: Matrix;
}

const widthOf = (n: number, wanted: number): number => Math.min(n, wanted + OVERSAMPLING);

async function startSpace({ n, times }: Kernel, wanted: number): Promise<Space> {
  const width = widthOf(n, wanted);
  const random = seededRandom(n, width);
  const start = zeros(n, width);
  for (let at = 0; at < start.data.length; at++) start.data[at] = random.normal();
  return { basis: start, image: await times(start) };
}

async function iterate({ times }: Kernel, { image }: Space, algebra: LinearAlgebra): Promise<Space> {
  const basis = await orthonormal(image, algebra);
  return { basis, image: await times(basis) };
}

async function ritz({ basis, image }: Space, algebra: LinearAlgebra): Promise<Eigen> {
  return symmetricEigen(await algebra.multiply(transpose(basis), image));
}

function haveSettled(before: Eigen, after: Eigen, wanted: number): boolean {
  const largest = after.values[0] ?? 0;
  return after.values
    .subarray(0, wanted)
    .every((value, k) => Math.abs(value - (before.values[k] as number)) <= SETTLED * largest);
}

function scoresOf(
  { basis }: Space,
  { values, vectors }: Eigen,
  { wanted, algebra }: { wanted: number; algebra: LinearAlgebra },
): Promise<Matrix> {
  const largest = values[0] ?? 0;
  const kept = values.filter((value) => value > RANK_TOLERANCE * largest).length;
  return algebra.multiply(basis, scaledVectors(vectors, values, Math.min(wanted, kept)));
}

/** The first `count` eigenvectors, each times the square root of its eigenvalue. */
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

/**
 * Number of columns that are orthonormalised among themselves before the next block is made orthogonal to them
 * by products.
 */
const BLOCK = 16;

/**
 * Orthonormal columns by Gram–Schmidt, done twice for accuracy; a column in the span of the others becomes
 * zero.
 */
async function orthonormal(m: Matrix, algebra: LinearAlgebra): Promise<Matrix> {
  // Works on the transpose, where a column is contiguous in memory.
  const rows = transpose(m);
  for (let start = 0; start < rows.rows; start += BLOCK) {
    const done = rowRange(rows, 0, start);
    const block = rowRange(rows, start, Math.min(rows.rows, start + BLOCK));
    for (let pass = 0; pass < 2; pass++) {
      const before = Float64Array.from({ length: block.rows }, (_, k) => norm(block, k));
      if (start > 0) await removeParts(block, done, algebra);
      for (let k = 0; k < block.rows; k++) orthonormaliseRow(block, k, before[k] as number);
    }
  }
  return transpose(rows);
}

/** Subtracts from the rows of m their projections on each unit row. */
async function removeParts(m: Matrix, units: Matrix, algebra: LinearAlgebra): Promise<void> {
  subtractFrom(m, await algebra.multiply(await algebra.multiplyTransposed(m, units), units));
}

/** Orthonormalises row k against the rows above it. */
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
