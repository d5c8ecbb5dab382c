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
import { copyBlock, negated, rowRange, subtractFrom } from '../matrix.ts';
import type { KernelRidge, Matrix } from '../linear-algebra.ts';
import type { Product, Products } from './product-into.ts';
import { cutter, type Cutter, type Rooms } from './scratch-memory.ts';
import { tiledSymmetric, type Operands } from './tiled-symmetric.ts';
import { roomOfTriangular, triangularInverse } from './triangular-inverse.ts';

/** A symmetric matrix A [n, n] and its ridge. */
export interface Ridge {
  n: number;
  /** A at rows × every one of the columns, in the rooms given. */
  blocks(rows: Range, columns: Range[], rooms: Float64Array[]): Promise<Matrix[]>;
  lambda: number;
  /** Where the inverse is to stand; `blocks` is not called any more once something stands there. */
  into?: Float64Array | undefined;
}

/** From one up to another, which is left out. */
export interface Range {
  from: number;
  to: number;
}

export const matrixRidge = (s: Matrix, lambda: number, into?: Float64Array): Ridge => ({
  n: s.rows,
  lambda,
  into,
  blocks: async (rows, columns, rooms) =>
    columns.map((cols, index) => {
      const size = { rows: rows.to - rows.from, cols: cols.to - cols.from };
      return copyBlock(
        s,
        { top: rows.from, left: cols.from },
        { ...size, data: rooms[index] as Float64Array },
      );
    }),
});

/** Of x xᵀ and a constant, which never stands whole. */
export const kernelRidge = (x: Matrix, { lambda, constant, into }: KernelRidge, { all }: Product): Ridge => ({
  n: x.rows,
  lambda,
  into,
  blocks: async (rows, columns, rooms) => {
    const a = rowRange(x, rows.from, rows.to);
    const b = columns.map(({ from, to }) => rowRange(x, from, to));
    const blocks = await all(b.map((m, index) => ({ a, b: m, into: rooms[index] as Float64Array })));
    for (const { data } of blocks)
      for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + constant;
    return blocks;
  },
});

/** Large enough for products at full speed, small enough that the triangles of 0 in its blocks do not matter. */
const LARGEST_BLOCK = 168;

/** (A + λI)⁻¹ [n, n]; undefined where A + λI is not positive definite to rounding, and then nothing was written. */
export async function blockedInverse(
  ridge: Ridge,
  products: Products,
  rooms: Rooms,
): Promise<Matrix | undefined> {
  const { n } = ridge;
  const size = Math.ceil(n / blockCount(n));
  return rooms.lend([n * (n + 2 * size) + roomOfTriangular(size)], async ([room]) => {
    const cuts = cutter(room as Float64Array);
    const factor = emptyFactor(n, cuts);
    const strips = [cuts.cut(n, size).data, cuts.cut(n, size).data] as const;
    const work: Work = { ...ridge, factor, products, strips, room: cuts.rest() };
    for (const k of factor.keys()) if (!(await addBlock(work, k))) return undefined;
    return assemble(work, rooms);
  });
}

/** What stands in the rows and columns of one block. */
interface Block extends Range {
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
  /** Room for a block for every block, twice. */
  strips: readonly [Float64Array, Float64Array];
  /** For the inverse of a block's factor. */
  room: Float64Array;
}

/** Block k of L and of W, from those before it; false where there is none. */
async function addBlock(work: Work, k: number): Promise<boolean> {
  const { factor, products, lambda, room } = work;
  const own = factor[k] as Block;
  const inverse = rowRange(own.column, 0, own.to - own.from);
  const [s, ...others] = (await remainders(work, k)) as [Matrix, ...Matrix[]];
  if (!(await triangularInverse({ s, lambda, into: inverse }, products, room))) return false;
  await products.multiply.all(
    others.map((b, index) => {
      const later = factor[k + 1 + index] as Block;
      return { a: inverse, b, into: rowRange(later.row, own.from, own.to).data };
    }),
  );
  await lengthenColumns(work, k, inverse);
  return true;
}

/** A[k,i] − Σ_{j<k} L[k,j] L[i,j]ᵀ for every i ≥ k. */
async function remainders({ blocks, factor, strips, products }: Work, k: number): Promise<Matrix[]> {
  const own = factor[k] as Block;
  const others = factor.slice(k);
  const sizes = others.map(({ from, to }) => (own.to - own.from) * (to - from));
  const rest = await blocks(own, others, cutAll(strips[0], sizes));
  if (k === 0) return rest;
  const rooms = cutAll(strips[1], sizes);
  const sums = await products.crossMultiply.all(
    others.map(({ row }, index) => ({
      a: own.row,
      b: rowRange(row, 0, own.from),
      into: rooms[index] as Float64Array,
    })),
  );
  return rest.map((block, index) => subtractFrom(block, sums[index] as Matrix));
}

/** W[k,i] for the columns of earlier blocks i; `inverse` is W[k,k]. */
async function lengthenColumns(
  { factor, strips, products }: Work,
  k: number,
  inverse: Matrix,
): Promise<void> {
  const own = factor[k] as Block;
  const earlier = factor.slice(0, k);
  const rooms = cutAll(
    strips[1],
    earlier.map(({ from, to }) => (own.to - own.from) * (to - from)),
  );
  const sums = await products.crossMultiply.all(
    earlier.map(({ from, column }, index) => ({
      a: rowRange(own.row, from, own.from),
      b: rowRange(column, 0, own.from - from),
      into: rooms[index] as Float64Array,
    })),
  );
  const minus = negated(inverse, strips[0]);
  await products.multiply.all(
    earlier.map(({ from, column }, index) => ({
      a: minus,
      b: sums[index] as Matrix,
      into: rowRange(column, own.from - from, own.to - from).data,
    })),
  );
}

/** Rooms of the given sizes, one after the other. */
function cutAll(strip: Float64Array, sizes: number[]): Float64Array[] {
  let used = 0;
  return sizes.map((size) => strip.subarray(used, (used += size)));
}

/** Wᵀ W: what stands above a block of W is 0. */
function assemble({ n, factor, into, products }: Work, rooms: Rooms): Promise<Matrix> {
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
  type BlockTile = (typeof tiles)[number];
  const operands = ({ upper, side }: BlockTile): Operands => ({
    a: rowRange(upper.column, side.from - upper.from, n - upper.from),
    b: side.column,
  });
  return tiledSymmetric(tiles, { operands, all: products.crossMultiply.all }, { n, rooms, into });
}
