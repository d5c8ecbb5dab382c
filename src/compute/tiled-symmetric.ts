/** A symmetric matrix of which only the tiles on and above the diagonal are computed. */
import { zeros } from '../synchrony/matrix.ts';
import type { Matrix } from '../synchrony/types.ts';
import { upperTiles, type Tile } from './tiles.ts';

/** [n, n]; what is below the diagonal mirrors what is above, to the last bit. */
export async function tiledSymmetric(n: number, compute: (tile: Tile) => Promise<Matrix>): Promise<Matrix> {
  const out = zeros(n, n);
  for (const tile of upperTiles(n)) {
    const part = await compute(tile);
    for (let r = 0; r < part.rows; r++)
      out.data.set(part.data.subarray(r * part.cols, (r + 1) * part.cols), (tile.top + r) * n + tile.left);
  }
  mirrorDown(out);
  return out;
}

const MIRROR_TILE = 32;

/** Copies what is above the diagonal below it, block by block to stay in the cache. */
function mirrorDown({ rows: n, data }: Matrix): void {
  for (let top = 0; top < n; top += MIRROR_TILE) {
    for (let left = 0; left <= top; left += MIRROR_TILE) {
      const bottom = Math.min(n, top + MIRROR_TILE);
      for (let r = top; r < bottom; r++) {
        const right = Math.min(r, left + MIRROR_TILE);
        for (let c = left; c < right; c++) data[r * n + c] = data[c * n + r] as number;
      }
    }
  }
}
