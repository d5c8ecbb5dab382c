/**
 * What tells models apart: their names without the parts between hyphens with which all of them begin or end alike. Of
 * `my-300k-chat` and `my-8m-chat`: `300k` and `8m`.
 * @param names different ones
 */
export function shortNames(names: readonly string[]): string[] {
  if (names.length < 2) return [...names];
  const parts = names.map((name) => name.split('-'));
  const most = Math.min(...parts.map(({ length }) => length)) - 1;
  const alike = (at: number): boolean => new Set(parts.map((own) => own.at(at))).size === 1;
  let [first, last] = [0, 0];
  while (first < most && alike(first)) first += 1;
  while (last < most - first && alike(-1 - last)) last += 1;
  return parts.map((own) => own.slice(first, own.length - last).join('-'));
}
