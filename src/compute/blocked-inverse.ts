/**
 * The inverse of a symmetric positive definite matrix by halves, so that nearly all of its work is matrix products:
 *
 *   A = L Lᵀ;  L⁻¹ of [A₁₁ ·; A₂₁ A₂₂]:  P = A₂₁ L₁₁⁻ᵀ,  L₂₂ from A₂₂ − P Pᵀ,  and −L₂₂⁻¹ P L₁₁⁻¹ below;  then A⁻¹ = L⁻ᵀ L⁻¹
 *
 * Going by L⁻¹ and not by inverses of the halves keeps the error that of a Cholesky factorisation.
 */
import { cholesky, invertLower } from '../synchrony/cholesky.ts';
import { blockOf, subtractFrom, zeros } from '../synchrony/matrix.ts';
import type { LinearAlgebra, Matrix } from '../synchrony/types.ts';
import { tiledSymmetric } from './tiled-symmetric.ts';

const SMALLEST = 64;

type Products = Pick<LinearAlgebra, 'multiply' | 'crossMultiply' | 'multiplyTransposed' | 'gram'>;

/** (s + λI)⁻¹ [n, n]; undefined where s + λI is not positive definite to rounding. */
export async function blockedInverse(
  s: Matrix,
  lambda: number,
  products: Products,
): Promise<Matrix | undefined> {
  const inverse = await lowerInverse(s, lambda, products);
  return inverse && lowerGram(inverse, products);
}

/** lᵀ l of a lower triangle: what stands above a tile's columns is 0 in one of its sides. */
async function lowerGram(l: Matrix, { crossMultiply }: Products): Promise<Matrix> {
  return tiledSymmetric(l.rows, ({ top, bottom, left, right }) => {
    const rows = l.rows - left;
    return crossMultiply(
      blockOf(l, { top: left, left: top, rows, cols: bottom - top }),
      blockOf(l, { top: left, left, rows, cols: right - left }),
    );
  });
}

/** L⁻¹ [n, n] of a + λI = L Lᵀ. */
async function lowerInverse(a: Matrix, lambda: number, products: Products): Promise<Matrix | undefined> {
  const n = a.rows;
  if (n <= SMALLEST) {
    const factor = cholesky(a, lambda);
    return factor && invertLower(factor, n);
  }
  const half = Math.ceil(n / 2);
  const rest = n - half;
  const first = await lowerInverse(blockOf(a, { top: 0, left: 0, rows: half, cols: half }), lambda, products);
  if (!first) return undefined;
  const corner = blockOf(a, { top: half, left: 0, rows: rest, cols: half });
  const panel = await products.multiplyTransposed(corner, first);
  const remains = blockOf(a, { top: half, left: half, rows: rest, cols: rest });
  subtractFrom(remains, await products.gram(panel));
  const second = await lowerInverse(remains, lambda, products);
  if (!second) return undefined;
  const below = await products.multiply(await products.multiply(second, panel), first);
  return assemble(first, second, below);
}

/** [first 0; −below second] */
function assemble(first: Matrix, second: Matrix, below: Matrix): Matrix {
  const half = first.rows;
  const n = half + second.rows;
  const out = zeros(n, n);
  for (let r = 0; r < half; r++) out.data.set(first.data.subarray(r * half, (r + 1) * half), r * n);
  for (let r = 0; r < second.rows; r++) {
    const start = (half + r) * n;
    for (let c = 0; c < half; c++) out.data[start + c] = -(below.data[r * half + c] as number);
    out.data.set(second.data.subarray(r * second.cols, (r + 1) * second.cols), start + half);
  }
  return out;
}
