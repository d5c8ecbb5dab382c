/**
 * Inner products along rows of flat arrays, with four independent sums, so that the processor does not wait for
 * one addition before the next.
 */

import type { Matrix } from './linear-algebra.ts';

/** Σ x[at.x + i] · y[at.y + i] over `count` entries. */
export function dotAt(x: Float64Array, y: Float64Array, at: { x: number; y: number; count: number }): number {
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let a = at.x;
  let b = at.y;
  const end = a + at.count;
  for (; a + 3 < end; a += 4, b += 4) {
    s0 += (x[a] as number) * (y[b] as number);
    s1 += (x[a + 1] as number) * (y[b + 1] as number);
    s2 += (x[a + 2] as number) * (y[b + 2] as number);
    s3 += (x[a + 3] as number) * (y[b + 3] as number);
  }
  for (; a < end; a++, b++) s0 += (x[a] as number) * (y[b] as number);
  return s0 + s1 + (s2 + s3);
}

/** Σ of the squares of each row [rows]. */
export const rowSquares = ({ rows, cols, data }: Matrix): Float64Array =>
  Float64Array.from({ length: rows }, (_, r) => dotAt(data, data, { x: r * cols, y: r * cols, count: cols }));
