/** Computes a symmetric matrix by the tiles on and above its diagonal. */
import type { Matrix } from '../linear-algebra.ts';
import { TOGETHER, type Product } from './product-into.ts';
import type { ScratchMemory } from './scratch-memory.ts';
import { areaOf, type Tile } from './tiles.ts';
import { uninitialized } from './uninitialized.ts';

export interface Operands {
  a: Matrix;
  b: Matrix;
}

/** The operands of a tile, and the product that multiplies them. */
export interface TileProduct<T extends Tile> extends Pick<Product, 'all'> {
  operands(tile: T): Operands;
}

export interface TiledOptions {
  /** Rows. */
  n: number;
  scratch: ScratchMemory;
  /** Buffer for the matrix [n, n]. */
  into?: Float64Array | undefined;
}

/**
 * The matrix [n, n] of tiles that cover the diagonal and everything above it; the lower part is an exact
 * mirror.
 */
export async function tiledSymmetric<T extends Tile>(
  tiles: T[],
  { operands, all }: TileProduct<T>,
  { n, scratch, into }: TiledOptions,
): Promise<Matrix> {
  const out = { rows: n, cols: n, data: into ?? uninitialized(n * n) };
  const [only] = tiles;
  if (only && tiles.length === 1) {
    await all([{ ...operands(only), into: out.data }]);
    return mirrorDown(out);
  }
  const largest = Math.max(...tiles.map(areaOf));
  const lengths = Array.from({ length: Math.min(TOGETHER, tiles.length) }, () => largest);
  await scratch.lend(lengths, async (lent) => {
    for (let at = 0; at < tiles.length; at += TOGETHER) {
      const some = tiles.slice(at, at + TOGETHER);
      const place = (index: number, tile: T): Float64Array =>
        (lent[index] as Float64Array).subarray(0, areaOf(tile));
      const parts = await all(some.map((tile, index) => ({ ...operands(tile), into: place(index, tile) })));
      for (const [index, part] of parts.entries()) setTile(out, some[index] as T, part);
    }
  });
  return mirrorDown(out);
}

function setTile({ cols, data }: Matrix, { top, left }: Tile, part: Matrix): void {
  for (let r = 0; r < part.rows; r++)
    data.set(part.data.subarray(r * part.cols, (r + 1) * part.cols), (top + r) * cols + left);
}

const MIRROR_TILE = 32;

/** Mirrors the upper triangle to the lower one, block by block to stay in the cache. */
function mirrorDown(m: Matrix): Matrix {
  const { rows: n, data } = m;
  for (let top = 0; top < n; top += MIRROR_TILE) {
    for (let left = 0; left <= top; left += MIRROR_TILE) {
      const bottom = Math.min(n, top + MIRROR_TILE);
      for (let r = top; r < bottom; r++) {
        const right = Math.min(r, left + MIRROR_TILE);
        for (let c = left; c < right; c++) data[r * n + c] = data[c * n + r] as number;
      }
    }
  }
  return m;
}
