/**
 * Benjamini–Hochberg: among the groups called coupled at q ≤ α, no more than the share α is expected to be so by
 * chance.
 * Formula: q of the k-th smallest of m p-values = min over j ≥ k of p(j) · m / j, at most 1.
 * Range: 0 to 1, never below its p-value; holds for independent and for positively dependent groups.
 * Reference: Benjamini, Hochberg, 1995.
 * No group: no q-value.
 */
export function qValues(pValues: readonly number[]): number[] {
  const count = pValues.length;
  const order = [...pValues.keys()].sort((a, b) => (pValues[b] as number) - (pValues[a] as number));
  const out = pValues.map(() => 1);
  let least = 1;
  for (const [fromLargest, at] of order.entries()) {
    least = Math.min(least, ((pValues[at] as number) * count) / (count - fromLargest));
    out[at] = least;
  }
  return out;
}
