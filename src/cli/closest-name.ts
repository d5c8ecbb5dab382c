/** The name that somebody most likely meant. */

/** More changes than this are another word. */
const MOST_CHANGES = 2;

/**
 * The name with the fewest changes (a letter more, fewer, or another one; two neighbours exchanged) from `text`, if
 * these are at most two and fewer than its letters.
 */
export function closestName(text: string, names: readonly string[]): string | undefined {
  const [best] = names
    .map((name) => ({ name, changes: changesBetween(text, name) }))
    .toSorted((a, b) => a.changes - b.changes);
  return best && best.changes <= Math.min(MOST_CHANGES, text.length - 1) ? best.name : undefined;
}

/** Damerau's distance, restricted to neighbours that are exchanged once. */
function changesBetween(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      const isExchanged = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const ways = [(last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (isSame ? 0 : 1)];
      if (isExchanged) ways.push((before[j - 2] ?? 0) + 1);
      row.push(Math.min(...ways));
    }
    [before, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
