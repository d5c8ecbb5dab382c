/**
 * The inverse of a symmetric positive definite matrix by blocks of rows and columns, so that nearly all of its work is matrix products:
 *
 *   A + λI = L Lᵀ;  W = L⁻¹;  block k after block k:
 *     W[k,k] = chol(A[k,k] + λI − Σ_{j<k} L[k,j] L[k,j]ᵀ)⁻¹
 *     L[i,k] = (A[i,k] − Σ_{j<k} L[i,j] L[k,j]ᵀ) W[k,k]ᵀ         i > k
 *     W[k,i] = −W[k,k] Σ_{i≤j<k} L[k,j] W[j,i]                   i < k
 *   S[i,j] = Σ_{k≥i} W[k,i]ᵀ W[k,j]                              i ≥ j
 *
 * L is kept by rows of blocks, each transposed and stacked, W by columns of blocks: every sum is one product of two contiguous views, and
 * nothing is copied in between. Going by L⁻¹ and not by inverses of the halves keeps the error that of a Cholesky factorisation.
 */
import { cholesky, invertLower } from '../synchrony/cholesky.ts';
import { blockOf, rowRange, subtractFrom } from '../synchrony/matrix.ts';
import type { Matrix } from '../synchrony/types.ts';
import type { ProductInto } from './product-into.ts';
import { tiledSymmetric } from './tiled-symmetric.ts';
import { unwritten } from './unwritten.ts';

/** a · b and aᵀ · b. */
export interface BlockProducts {
  multiply: ProductInto;
  crossMultiply: ProductInto;
}

/** Small enough for a factorisation in JavaScript, large enough for products at full speed. */
const LARGEST_BLOCK = 128;

/** (s + λI)⁻¹ [n, n]; undefined where s + λI is not positive definite to rounding. */
export async function blockedInverse(
  s: Matrix,
  lambda: number,
  products: BlockProducts,
): Promise<Matrix | undefined> {
  const factor = emptyFactor(s.rows);
  for (const k of factor.keys()) if (!(await addBlock(factor, { s, lambda, k }, products))) return undefined;
  return assemble(factor, s.rows, products);
}

/** What stands in the rows and columns [from, to) of one block. */
interface Block {
  from: number;
  to: number;
  /** (L[k, 0…k−1])ᵀ [from, size] */
  row: Matrix;
  /** W[k…, k] [n − from, size] */
  column: Matrix;
}

function emptyFactor(n: number): Block[] {
  const count = Math.max(1, Math.ceil(n / LARGEST_BLOCK));
  const edge = (block: number): number => Math.round((block * n) / count);
  return Array.from({ length: count }, (_, k) => {
    const [from, to] = [edge(k), edge(k + 1)];
    return { from, to, row: unwrittenMatrix(from, to - from), column: unwrittenMatrix(n - from, to - from) };
  });
}

const unwrittenMatrix = (rows: number, cols: number): Matrix => ({
  rows,
  cols,
  data: unwritten(rows * cols),
});

interface Step {
  s: Matrix;
  lambda: number;
  k: number;
}

/** Block k of L and of W, from those before it; false where there is none. */
async function addBlock(factor: Block[], { s, lambda, k }: Step, products: BlockProducts): Promise<boolean> {
  const own = factor[k] as Block;
  const lower = cholesky(await remainder(s, [own, own], products), lambda);
  if (lower === undefined) return false;
  const inverse = invertLower(lower, own.to - own.from);
  own.column.data.set(inverse.data);
  for (const later of factor.slice(k + 1)) {
    const into = rowRange(later.row, own.from, own.to).data;
    await products.multiply(inverse, await remainder(s, [own, later], products), into);
  }
  await lengthenColumns(factor.slice(0, k), { own, inverse }, products);
  return true;
}

/** A[k,i] − Σ_{j<k} L[k,j] L[i,j]ᵀ */
async function remainder(s: Matrix, [own, other]: [Block, Block], products: BlockProducts): Promise<Matrix> {
  const size = { rows: own.to - own.from, cols: other.to - other.from };
  const block = blockOf(s, { top: own.from, left: other.from, ...size });
  if (own.from === 0) return block;
  return subtractFrom(block, await products.crossMultiply(own.row, rowRange(other.row, 0, own.from)));
}

/** W[k,i] for the columns of earlier blocks i; `inverse` is W[k,k]. */
async function lengthenColumns(
  earlier: Block[],
  { own, inverse }: { own: Block; inverse: Matrix },
  { multiply, crossMultiply }: BlockProducts,
): Promise<void> {
  const minus = { ...inverse, data: inverse.data.map((value) => -value) };
  for (const { from, column } of earlier) {
    const sum = await crossMultiply(rowRange(own.row, from, own.from), rowRange(column, 0, own.from - from));
    await multiply(minus, sum, rowRange(column, own.from - from, own.to - from).data);
  }
}

/** Wᵀ W: what stands above a block of W is 0. */
function assemble(factor: Block[], n: number, { crossMultiply }: BlockProducts): Promise<Matrix> {
  const tiles = factor.flatMap((upper, j) =>
    factor.slice(j).map((left) => ({
      top: upper.from,
      bottom: upper.to,
      left: left.from,
      right: left.to,
      upper,
      side: left,
    })),
  );
  return tiledSymmetric(n, tiles, ({ upper, side }) =>
    crossMultiply(rowRange(upper.column, side.from - upper.from, n - upper.from), side.column),
  );
}
