/**
 * Inverse of a symmetric positive definite matrix by blocks of rows and columns, so that nearly all of the work
 * is matrix products.
 *
 *   A + λI = L Lᵀ;  W = L⁻¹;  block k after block k:
 *     W[k,k] = chol(A[k,k] + λI − Σ_{j<k} L[k,j] L[k,j]ᵀ)⁻¹
 *     L[i,k] = (A[i,k] − Σ_{j<k} L[i,j] L[k,j]ᵀ) W[k,k]ᵀ         i > k
 *     W[k,i] = −W[k,k] Σ_{i≤j<k} L[k,j] W[j,i]                   i < k
 *   S[i,j] = Σ_{k≥i} W[k,i]ᵀ W[k,j]                              i ≥ j
 *
 * L is stored by rows of blocks, each transposed and stacked; W by columns of blocks. Every sum is then one
 * product of two contiguous views, without copies. Since it goes by L⁻¹ and not by inverses of the halves, its
 * error is that of a Cholesky factorisation.
 */
import { copyBlock, negated, rowRange, subtractFrom } from '../matrix.ts';
import type { KernelRidge, Matrix } from '../linear-algebra.ts';
import type { Product, Products } from './product-into.ts';
import { cutter, type Cutter, type ScratchMemory } from './scratch-memory.ts';
import { tiledSymmetric, type Operands } from './tiled-symmetric.ts';
import { scratchLengthOf, triangularInverse } from './triangular-inverse.ts';

/** A symmetric matrix A [n, n] and its ridge λ. */
export interface Ridge {
  n: number;
  /** The blocks of A at `rows` × each of `columns`, written to the given buffers. */
  blocks(rows: Range, columns: Range[], buffers: Float64Array[]): Promise<Matrix[]>;
  lambda: number;
  /** Buffer for the inverse; `blocks` is not called after something was written to it. */
  into?: Float64Array | undefined;
}

/** The indices from `from` up to `to`, which is excluded. */
export interface Range {
  from: number;
  to: number;
}

export const matrixRidge = (s: Matrix, lambda: number, into?: Float64Array): Ridge => ({
  n: s.rows,
  lambda,
  into,
  blocks: async (rows, columns, buffers) =>
    columns.map((cols, index) => {
      const size = { rows: rows.to - rows.from, cols: cols.to - cols.from };
      return copyBlock(
        s,
        { top: rows.from, left: cols.from },
        { ...size, data: buffers[index] as Float64Array },
      );
    }),
});

/** The kernel x xᵀ + constant, of which only blocks are ever computed. */
export const kernelRidge = (x: Matrix, { lambda, constant, into }: KernelRidge, { all }: Product): Ridge => ({
  n: x.rows,
  lambda,
  into,
  blocks: async (rows, columns, buffers) => {
    const a = rowRange(x, rows.from, rows.to);
    const b = columns.map(({ from, to }) => rowRange(x, from, to));
    const blocks = await all(b.map((m, index) => ({ a, b: m, into: buffers[index] as Float64Array })));
    for (const { data } of blocks)
      for (let at = 0; at < data.length; at++) data[at] = (data[at] as number) + constant;
    return blocks;
  },
});

/**
 * Large enough for products at full speed, and small enough that the zero triangles in its blocks do not
 * matter.
 */
const LARGEST_BLOCK = 168;

/**
 * (A + λI)⁻¹ [n, n]. Undefined if A + λI is not positive definite to rounding; then nothing was written to
 * `into`.
 */
export async function blockedInverse(
  ridge: Ridge,
  products: Products,
  scratch: ScratchMemory,
): Promise<Matrix | undefined> {
  const { n } = ridge;
  const size = Math.ceil(n / blockCount(n));
  return scratch.lend([n * (n + 2 * size) + scratchLengthOf(size)], async ([buffer]) => {
    const cuts = cutter(buffer as Float64Array);
    const factor = emptyFactor(n, cuts);
    const strips = [cuts.cut(n, size).data, cuts.cut(n, size).data] as const;
    const work: Work = { ...ridge, factor, products, strips, buffer: cuts.rest() };
    for (const k of factor.keys()) if (!(await addBlock(work, k))) return undefined;
    return assemble(work, scratch);
  });
}

/** The rows and columns of one block of L and W. */
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
  /** Two buffers, each with space for one block row. */
  strips: readonly [Float64Array, Float64Array];
  /** Buffer for the inverse of a block's factor. */
  buffer: Float64Array;
}

/** Computes block k of L and W from the blocks before it; false if it is not positive definite. */
async function addBlock(work: Work, k: number): Promise<boolean> {
  const { factor, products, lambda, buffer } = work;
  const own = factor[k] as Block;
  const inverse = rowRange(own.column, 0, own.to - own.from);
  const [s, ...others] = (await remainders(work, k)) as [Matrix, ...Matrix[]];
  if (!(await triangularInverse({ s, lambda, into: inverse }, products, buffer))) return false;
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
  const buffers = cutAll(strips[1], sizes);
  const sums = await products.crossMultiply.all(
    others.map(({ row }, index) => ({
      a: own.row,
      b: rowRange(row, 0, own.from),
      into: buffers[index] as Float64Array,
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
  const buffers = cutAll(
    strips[1],
    earlier.map(({ from, to }) => (own.to - own.from) * (to - from)),
  );
  const sums = await products.crossMultiply.all(
    earlier.map(({ from, column }, index) => ({
      a: rowRange(own.row, from, own.from),
      b: rowRange(column, 0, own.from - from),
      into: buffers[index] as Float64Array,
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

/** Cuts buffers of the given sizes off a strip, one after the other. */
function cutAll(strip: Float64Array, sizes: number[]): Float64Array[] {
  let used = 0;
  return sizes.map((size) => strip.subarray(used, (used += size)));
}

/** Wᵀ W, skipping the zero blocks above the diagonal of W. */
function assemble({ n, factor, into, products }: Work, scratch: ScratchMemory): Promise<Matrix> {
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
  return tiledSymmetric(tiles, { operands, all: products.crossMultiply.all }, { n, scratch, into });
}
