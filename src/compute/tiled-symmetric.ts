/** A symmetric matrix of which only the tiles on and above the diagonal are computed. */
import type { Matrix } from '../synchrony/types.ts';
import type { Rooms } from './rooms.ts';
import { areaOf, type Tile } from './tiles.ts';
import { unwritten } from './unwritten.ts';

export interface TiledOptions {
  /** Rows. */
  n: number;
  rooms: Rooms;
  /** Where the matrix is to stand [n, n]. */
  into?: Float64Array | undefined;
}

/**
 * [n, n] of tiles that cover the diagonal and what is above it; what is below mirrors that, to the last bit. `compute`
 * writes a tile into the room that it is handed.
 */
export async function tiledSymmetric<T extends Tile>(
  tiles: T[],
  compute: (tile: T, room: Float64Array) => Promise<Matrix>,
  { n, rooms, into }: TiledOptions,
): Promise<Matrix> {
  const out = { rows: n, cols: n, data: into ?? unwritten(n * n) };
  const [only] = tiles;
  if (only && tiles.length === 1) {
    await compute(only, out.data);
    return mirrorDown(out);
  }
  await rooms.lend(Math.max(...tiles.map(areaOf)), async (room) => {
    for (const tile of tiles) setTile(out, tile, await compute(tile, room.subarray(0, areaOf(tile))));
  });
  return mirrorDown(out);
}

function setTile({ cols, data }: Matrix, { top, left }: Tile, part: Matrix): void {
  for (let r = 0; r < part.rows; r++)
    data.set(part.data.subarray(r * part.cols, (r + 1) * part.cols), (top + r) * cols + left);
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
