/**
 * ⟨A Aᵀ, B Bᵀ⟩ for every A of one list and every B of another, without a whole Gram matrix at any time: tile after tile, the tile of each
 * Gram matrix is one row of a stack, and the product of the two stacks holds all pairs.
 */
import { rowRange, zeros } from '../synchrony/matrix.ts';
import type { Matrix } from '../synchrony/types.ts';
import type { ProductInto } from './product-into.ts';
import { isDiagonal, upperTiles, type Tile } from './tiles.ts';
import { unwritten } from './unwritten.ts';

/** a [n, any] and b [n, any], equal n → [a.length, b.length]. */
export async function tiledGramProducts(
  a: Matrix[],
  b: Matrix[],
  multiplyTransposed: ProductInto,
): Promise<Matrix> {
  const total = zeros(a.length, b.length);
  const tiles = upperTiles(a[0]?.rows ?? 0);
  const largest = Math.max(0, ...tiles.map(areaOf));
  const [left, right] = [unwritten(a.length * largest), unwritten(b.length * largest)];
  for (const tile of tiles) {
    const part = await multiplyTransposed(
      await stackTile(a, { tile, into: left }, multiplyTransposed),
      await stackTile(b, { tile, into: right }, multiplyTransposed),
    );
    const times = isDiagonal(tile) ? 1 : 2;
    for (let at = 0; at < part.data.length; at++)
      total.data[at] = (total.data[at] as number) + times * (part.data[at] as number);
  }
  return total;
}

const areaOf = ({ top, bottom, left, right }: Tile): number => (bottom - top) * (right - left);

/** One tile of every Gram matrix, flat [matrices, tile rows × tile columns], at the beginning of `into`. */
async function stackTile(
  matrices: Matrix[],
  { tile, into }: { tile: Tile; into: Float64Array },
  multiplyTransposed: ProductInto,
): Promise<Matrix> {
  const { top, bottom, left, right } = tile;
  const size = areaOf(tile);
  for (const [index, m] of matrices.entries()) {
    const place = into.subarray(index * size, (index + 1) * size);
    await multiplyTransposed(rowRange(m, top, bottom), rowRange(m, left, right), place);
  }
  return { rows: matrices.length, cols: size, data: into.subarray(0, matrices.length * size) };
}
