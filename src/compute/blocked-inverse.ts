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
import { copyBlock, rowRange, subtractFrom } from '../synchrony/matrix.ts';
import type { Matrix } from '../synchrony/types.ts';
import type { Products } from './product-into.ts';
import { cutter, type Cutter, type Rooms } from './rooms.ts';
import { tiledSymmetric } from './tiled-symmetric.ts';
import { roomOfTriangular, triangularInverse } from './triangular-inverse.ts';

export interface Ridge {
  /** [n, n] */
  s: Matrix;
  lambda: number;
  /** Where the inverse is to stand; may be where `s` stands. */
  into?: Float64Array | undefined;
}

/** Large enough for products at full speed, small enough that the triangles of 0 in its blocks do not matter. */
const LARGEST_BLOCK = 168;

/** (s + λI)⁻¹ [n, n]; undefined where s + λI is not positive definite to rounding, and then nothing was written. */
export async function blockedInverse(
  ridge: Ridge,
  products: Products,
  rooms: Rooms,
): Promise<Matrix | undefined> {
  const { rows: n } = ridge.s;
  const size = Math.ceil(n / blockCount(n));
  return rooms.lend(n * (n + size) + 2 * size * size + roomOfTriangular(size), async (room) => {
    const cuts = cutter(room);
    const factor = emptyFactor(n, cuts);
    const scratch = [cuts.cut(size, size).data, cuts.cut(size, size).data] as const;
    const work: Work = { ...ridge, factor, products, scratch, room: cuts.rest() };
    for (const k of factor.keys()) if (!(await addBlock(work, k))) return undefined;
    return assemble(work, rooms);
  });
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

const blockCount = (n: number): number => Math.max(1, Math.ceil(n / LARGEST_BLOCK));

function emptyFactor(n: number, { cut }: Cutter): Block[] {
  const count = blockCount(n);
  const edge = (block: number): number => Math.floor((block * n) / count);
  return Array.from({ length: count }, (_, k) => {
    const [from, to] = [edge(k), edge(k + 1)];
    return { from, to, row: cut(from, to - from), column: cut(n - from, to - from) };
  });
}

interface Work extends Ridge {
  factor: Block[];
  products: Products;
  /** Two blocks. */
  scratch: readonly [Float64Array, Float64Array];
  /** For the inverse of a block's factor. */
  room: Float64Array;
}

/** Block k of L and of W, from those before it; false where there is none. */
async function addBlock(work: Work, k: number): Promise<boolean> {
  const { factor, products, lambda, room } = work;
  const own = factor[k] as Block;
  const inverse = rowRange(own.column, 0, own.to - own.from);
  const s = await remainder(work, own, own);
  if (!(await triangularInverse({ s, lambda, into: inverse }, products, room))) return false;
  for (const later of factor.slice(k + 1)) {
    const into = rowRange(later.row, own.from, own.to).data;
    await products.multiply(inverse, await remainder(work, own, later), into);
  }
  await lengthenColumns(work, k, inverse);
  return true;
}

/** A[k,i] − Σ_{j<k} L[k,j] L[i,j]ᵀ */
async function remainder({ s, scratch, products }: Work, own: Block, other: Block): Promise<Matrix> {
  const [rows, cols] = [own.to - own.from, other.to - other.from];
  const [data, sum] = scratch.map((block) => block.subarray(0, rows * cols)) as [Float64Array, Float64Array];
  const block = copyBlock(s, { top: own.from, left: other.from }, { rows, cols, data });
  if (own.from === 0) return block;
  return subtractFrom(block, await products.crossMultiply(own.row, rowRange(other.row, 0, own.from), sum));
}

/** W[k,i] for the columns of earlier blocks i; `inverse` is W[k,k]. */
async function lengthenColumns(
  { factor, scratch, products }: Work,
  k: number,
  inverse: Matrix,
): Promise<void> {
  const own = factor[k] as Block;
  const minus = { ...inverse, data: scratch[0].subarray(0, inverse.data.length) };
  for (let at = 0; at < inverse.data.length; at++) minus.data[at] = -(inverse.data[at] as number);
  for (const { from, column } of factor.slice(0, k)) {
    const [left, right] = [rowRange(own.row, from, own.from), rowRange(column, 0, own.from - from)];
    const sum = await products.crossMultiply(left, right, scratch[1].subarray(0, left.cols * right.cols));
    await products.multiply(minus, sum, rowRange(column, own.from - from, own.to - from).data);
  }
}

/** Wᵀ W: what stands above a block of W is 0. */
function assemble({ factor, s, into, products }: Work, rooms: Rooms): Promise<Matrix> {
  const n = s.rows;
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
  return tiledSymmetric(
    tiles,
    ({ upper, side }, room) => {
      const below = rowRange(upper.column, side.from - upper.from, n - upper.from);
      return products.crossMultiply(below, side.column, room);
    },
    { n, rooms, into },
  );
}
