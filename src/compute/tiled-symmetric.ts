/** A symmetric matrix of which only the tiles on and above the diagonal are computed. */
import type { Matrix } from '../synchrony/types.ts';
import type { Tile } from './tiles.ts';
import { unwritten } from './unwritten.ts';

/** [n, n] of tiles that cover the diagonal and what is above it; what is below mirrors that, to the last bit. */
export async function tiledSymmetric<T extends Tile>(
  n: number,
  tiles: T[],
  compute: (tile: T) => Promise<Matrix>,
): Promise<Matrix> {
  const [first] = tiles;
  if (first && tiles.length === 1) return mirrorDown(await compute(first));
  const out = { rows: n, cols: n, data: unwritten(n * n) };
  for (const tile of tiles) {
    const part = await compute(tile);
    for (let r = 0; r < part.rows; r++)
      out.data.set(part.data.subarray(r * part.cols, (r + 1) * part.cols), (tile.top + r) * n + tile.left);
  }
  return mirrorDown(out);
}

const MIRROR_TILE = 32;

/** Copies what is above the diagonal below it, block by block to stay in the cache. */
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
