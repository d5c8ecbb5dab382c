/**
 * Spearman's rank correlation: Pearson's r of the ranks.
 * Formula: ranks from 1, equal values share the mean of their ranks; p by t with n − 2 degrees of freedom.
 * Range: −1 to 1.
 * Reference: Spearman, 1904; Kendall, Stuart, 31.19.
 * No number: fewer than three values, lists of unequal length, a constant list, or a value that is not finite.
 */
import type { NoScore } from '../types.ts';
import { pearson, type Correlation } from './pearson.ts';

/** Without an interval: Fisher's holds for normal values, not for ranks. */
export function spearman(
  x: readonly number[],
  y: readonly number[],
): Omit<Correlation, 'interval'> | NoScore {
  if (![...x, ...y].every(Number.isFinite)) return { reason: 'a value is not finite' };
  const found = pearson(ranks(x), ranks(y));
  if ('reason' in found) return found;
  return { r: found.r, pValue: found.pValue, count: found.count };
}

/** Ranks from 1; equal values share the mean of their ranks. */
export function ranks(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
  const out = values.map(() => 0);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++;
    for (const at of order.slice(start, end)) out[at] = (start + 1 + end) / 2;
    start = end;
  }
  return out;
}
