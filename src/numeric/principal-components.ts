/**
 * Leading principal components of rows, by their Gram matrix K = X Xᵀ: block power iteration, then Rayleigh–Ritz.
 * The result are scores W [n, k] with W Wᵀ ≈ K; k is smaller than asked for if K has lower rank. Where it is less
 * work, K is not made: K · basis is X · (Xᵀ · basis).
 */
import { cholesky, invertLower } from './cholesky.ts';
import { symmetricEigen, type Eigen } from './eigen.ts';
import { copyOf, rowRange, subtractFrom, transpose, zeros } from './matrix.ts';
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
  return leadingKernelComponents(byGram(gram, algebra), wanted, algebra);
}

/** Rows that are given in another orthonormal basis, of fewer vectors, as centred rows can be. */
export interface OtherBasis {
  /** How many the rows themselves are. */
  rows: number;
  /** Columns [rows, any] in that basis. */
  of(columns: Matrix): Matrix;
}

/** The same of rows [n, dims] themselves; of rows in another basis the scores are in that basis. */
export async function leadingRowComponents(
  rows: Matrix & { basis?: OtherBasis },
  wanted: number,
  algebra: LinearAlgebra,
): Promise<Matrix> {
  const width = widthOf(rows.rows, wanted);
  const products = ITERATIONS + 1;
  const byRowsCost = products * 4 * rows.cols * width;
  const byGramCost = rows.rows * rows.cols + products * 2 * rows.rows * width;
  const kernel = byRowsCost < byGramCost ? byRows(rows, algebra) : byGram(await algebra.gram(rows), algebra);
  return leadingKernelComponents({ ...kernel, basis: rows.basis }, wanted, algebra);
}

/** K [n, n] as an operator. */
export interface Kernel {
  n: number;
  /** m K of m [any, n]. */
  times(m: Matrix): Promise<Matrix>;
  basis?: OtherBasis | undefined;
}

const byGram = (gram: Matrix, algebra: LinearAlgebra): Kernel => ({
  n: gram.rows,
  times: (m) => algebra.multiply(m, gram),
});

const byRows = (rows: Matrix, algebra: LinearAlgebra): Kernel => ({
  n: rows.rows,
  times: async (m) => algebra.multiplyTransposed(await algebra.multiply(m, rows), rows),
});

/** The same of K as an operator. */
export async function leadingKernelComponents(
  kernel: Kernel,
  wanted: number,
  algebra: LinearAlgebra,
): Promise<Matrix> {
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

/** Vectors stand in rows, where they are contiguous in memory, and products of them with rows need no transposes. */
interface Space {
  /** [width, n], with orthonormal rows. */
  basis: Matrix;
  /** basis · K. */
  image: Matrix;
}

const widthOf = (n: number, wanted: number): number => Math.min(n, wanted + OVERSAMPLING);

async function startSpace({ n, times, basis }: Kernel, wanted: number): Promise<Space> {
  const rows = basis?.rows ?? n;
  const drawn = randomStart(rows, widthOf(rows, wanted));
  const start = transpose(basis ? basis.of(drawn) : drawn);
  return { basis: start, image: await times(start) };
}

/** The layers of a side all start from the same vectors, so the latest are kept. */
const randomStart = latestOf((n: number, width: number): Matrix => {
  const random = seededRandom(n, width);
  const start = zeros(n, width);
  for (let at = 0; at < start.data.length; at++) start.data[at] = random.normal();
  return start;
});

/** The same function, which keeps its latest result. */
function latestOf<T>(make: (n: number, width: number) => T): (n: number, width: number) => T {
  let latest: { n: number; width: number; made: T } | undefined;
  return (n, width) => {
    if (latest?.n !== n || latest.width !== width) latest = { n, width, made: make(n, width) };
    return latest.made;
  };
}

async function iterate({ times }: Kernel, { image }: Space, algebra: LinearAlgebra): Promise<Space> {
  const basis = await orthonormal(image, algebra);
  return { basis, image: await times(basis) };
}

async function ritz({ basis, image }: Space, algebra: LinearAlgebra): Promise<Eigen> {
  return symmetricEigen(await algebra.multiplyTransposed(basis, image));
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
  return algebra.crossMultiply(basis, scaledVectors(vectors, values, Math.min(wanted, kept)));
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

/** Rows count as clearly independent if each keeps this share of its length beside those before it. */
const CLEARLY_INDEPENDENT = 1e-4;

/**
 * Orthonormal rows that span the rows of m, in their order; a row in the span of those before it becomes zero. By the
 * Cholesky factor of their inner products, Q = L⁻¹ m with L Lᵀ = m mᵀ: nearly all of it products. Its error grows with
 * the square of the condition, so it is done twice, and rows that are nearly dependent are taken by Gram–Schmidt.
 * Reference: Yamamoto, Nakatsukasa, Yanagisawa, Fukaya 2015, Roundoff error analysis of the CholeskyQR2 algorithm.
 */
async function orthonormal(m: Matrix, algebra: LinearAlgebra): Promise<Matrix> {
  const first = await byCholesky(m, algebra);
  return (first && (await byCholesky(first, algebra))) ?? (await byGramSchmidt(m, algebra));
}

/** One pass; undefined if the rows are not clearly independent. */
async function byCholesky(m: Matrix, algebra: LinearAlgebra): Promise<Matrix | undefined> {
  const n = m.rows;
  const products = await algebra.multiplyTransposed(m, m);
  const norms = Float64Array.from({ length: n }, (_, k) => Math.sqrt(products.data[k * n + k] as number));
  // of unit rows, so that their lengths do not count towards the condition
  for (let r = 0, at = 0; r < n; r++)
    for (let c = 0; c < n; c++, at++)
      products.data[at] = (products.data[at] as number) / ((norms[r] as number) * (norms[c] as number));
  const lower = cholesky(products, 0);
  if (!lower) return undefined;
  for (let k = 0; k < n; k++) if (!((lower[k * n + k] as number) > CLEARLY_INDEPENDENT)) return undefined;
  const inverse = invertLower(lower, n);
  for (let at = 0; at < inverse.data.length; at++)
    inverse.data[at] = (inverse.data[at] as number) / (norms[at % n] as number);
  return algebra.multiply(inverse, m);
}

/**
 * Number of rows that are orthonormalised among themselves before the next block is made orthogonal to them by
 * products.
 */
const BLOCK = 16;

/** The same by Gram–Schmidt, done twice for accuracy. */
async function byGramSchmidt(m: Matrix, algebra: LinearAlgebra): Promise<Matrix> {
  const rows = copyOf(m);
  for (let start = 0; start < rows.rows; start += BLOCK) {
    const done = rowRange(rows, 0, start);
    const block = rowRange(rows, start, Math.min(rows.rows, start + BLOCK));
    for (let pass = 0; pass < 2; pass++) {
      const before = Float64Array.from({ length: block.rows }, (_, k) => norm(block, k));
      if (start > 0) await removeParts(block, done, algebra);
      for (let k = 0; k < block.rows; k++) orthonormaliseRow(block, k, before[k] as number);
    }
  }
  return rows;
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
