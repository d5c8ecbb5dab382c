/**
 * Inverse of a Cholesky factor by halves, for one block of a larger matrix:
 *
 *   A + λI = L Lᵀ;  W = L⁻¹:
 *     W₁₁ of A₁₁;  L₂₁ = A₂₁ W₁₁ᵀ;  W₂₂ of A₂₂ − L₂₁ L₂₁ᵀ;  W₂₁ = −W₂₂ L₂₁ W₁₁
 */
import { cholesky, invertLower } from '../cholesky.ts';
import { copyBlock, subtractFrom } from '../matrix.ts';
import type { Matrix } from '../linear-algebra.ts';
import type { Products } from './product-into.ts';
import { cutter, type ScratchMemory } from './scratch-memory.ts';
import { uninitialized } from './uninitialized.ts';

export interface Factored {
  /** A [n, n] */
  s: Matrix;
  lambda: number;
  /** Buffer for W [n, n]; its upper triangle is set to 0. */
  into: Matrix;
}

/** Up to this number of rows JavaScript is faster than calls into the runtime. */
const SMALLEST_HALF = 64;

/** Number of values of scratch memory needed for n rows. */
export function scratchLengthOf(n: number): number {
  if (n <= SMALLEST_HALF) return 0;
  const half = n - (n >> 1);
  return 8 * half * half + scratchLengthOf(half);
}

/** Writes W to `into`; false if A + λI is not positive definite to rounding. */
export async function triangularInverse(
  { s, lambda, into }: Factored,
  products: Products,
  buffer: Float64Array,
): Promise<boolean> {
  if (s.rows <= SMALLEST_HALF) return smallInverse({ s, lambda, into });
  const { cut, rest } = cutter(buffer);
  const [top, bottom] = [s.rows >> 1, s.rows - (s.rows >> 1)];
  const first = cut(top, top);
  const upper = copyBlock(s, { top: 0, left: 0 }, cut(top, top));
  if (!(await triangularInverse({ s: upper, lambda, into: first }, products, rest()))) return false;
  const corner = copyBlock(s, { top, left: 0 }, cut(bottom, top));
  const panel = await products.multiplyTransposed.one(corner, first, cut(bottom, top).data);
  const square = await products.multiplyTransposed.one(panel, panel, cut(bottom, bottom).data);
  const lower = subtractFrom(copyBlock(s, { top, left: top }, cut(bottom, bottom)), square);
  const second = cut(bottom, bottom);
  if (!(await triangularInverse({ s: lower, lambda, into: second }, products, rest()))) return false;
  const inner = await products.multiply.one(panel, first, cut(bottom, top).data);
  join(into, { first, second, below: await products.multiply.one(second, inner, corner.data) });
  return true;
}

/** W of A [n, n]; undefined if A + λI is not positive definite to rounding. */
export async function factorByHalves(
  s: Matrix,
  lambda: number,
  { products, scratch }: { products: Products; scratch: ScratchMemory },
): Promise<Matrix | undefined> {
  const into = { ...s, data: uninitialized(s.data.length) };
  return scratch.lend([scratchLengthOf(s.rows)], async ([buffer]) =>
    (await triangularInverse({ s, lambda, into }, products, buffer as Float64Array)) ? into : undefined,
  );
}

function smallInverse({ s, lambda, into }: Factored): boolean {
  const lower = cholesky(s, lambda);
  if (lower === undefined) return false;
  into.data.set(invertLower(lower, s.rows).data);
  return true;
}

/** [[first, 0], [−below, second]] */
function join({ cols, data }: Matrix, parts: { first: Matrix; below: Matrix; second: Matrix }): void {
  const { first, below, second } = parts;
  for (let r = 0; r < first.rows; r++) {
    data.set(first.data.subarray(r * first.cols, (r + 1) * first.cols), r * cols);
    data.fill(0, r * cols + first.cols, (r + 1) * cols);
  }
  for (let r = 0; r < second.rows; r++) {
    const row = (first.rows + r) * cols;
    for (let c = 0; c < below.cols; c++) data[row + c] = -(below.data[r * below.cols + c] as number);
    data.set(second.data.subarray(r * second.cols, (r + 1) * second.cols), row + below.cols);
  }
}
