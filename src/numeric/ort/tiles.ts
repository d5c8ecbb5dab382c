/**
 * Cuts the upper half of a symmetric matrix into rectangles: the square above the diagonal as a whole, then the
 * same in each half. Large rectangles make fast products, and only the small squares on the diagonal are
 * computed twice.
 *
 *   ┌───┬───────┐
 *   └─┐ │       │
 *     └─┤       │
 *       ├───┬───┤
 *       └─┐ │   │
 *         └─┴───┘
 */

/** Rows [top, bottom) by columns [left, right). */
export interface Tile {
  top: number;
  bottom: number;
  left: number;
  right: number;
}

/** A square on the diagonal with fewer rows is not cut further. */
const SMALLEST = 128;
/** No side is longer, so that the tiles of all layers fit into the processor's cache together. */
const LARGEST = 256;

/**
 * Tiles that cover the diagonal of an [n, n] matrix and everything above it; those on the diagonal are squares.
 */
export function upperTiles(n: number): Tile[] {
  return halved(0, n);
}

/** An [n, cols] matrix in bands of rows, none larger than the largest tile. */
export function rowBands(n: number, cols: number): Tile[] {
  const rows = Math.max(1, Math.floor((LARGEST * LARGEST) / cols));
  return Array.from({ length: Math.ceil(n / rows) }, (_, band) => ({
    top: band * rows,
    bottom: Math.min(n, (band + 1) * rows),
    left: 0,
    right: cols,
  }));
}

export const areaOf = ({ top, bottom, left, right }: Tile): number => (bottom - top) * (right - left);

export const isDiagonal = ({ top, left }: Tile): boolean => top === left;

function halved(start: number, end: number): Tile[] {
  if (end - start <= SMALLEST) return [{ top: start, bottom: end, left: start, right: end }];
  const middle = Math.ceil((start + end) / 2);
  const above = cut({ top: start, bottom: middle, left: middle, right: end });
  return [...halved(start, middle), ...above, ...halved(middle, end)];
}

function cut(tile: Tile): Tile[] {
  const { top, bottom, left, right } = tile;
  if (bottom - top > LARGEST) {
    const middle = Math.ceil((top + bottom) / 2);
    return [...cut({ ...tile, bottom: middle }), ...cut({ ...tile, top: middle })];
  }
  if (right - left > LARGEST) {
    const middle = Math.ceil((left + right) / 2);
    return [...cut({ ...tile, right: middle }), ...cut({ ...tile, left: middle })];
  }
  return [tile];
}
