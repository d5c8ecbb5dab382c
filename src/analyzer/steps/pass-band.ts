/** Parses a pass band from a flag. */

/** Low and high in cycles per step, from 0 to 0.5 and in that order; undefined for any other text. */
export function parseBand(text: string, between: ',' | '-'): [low: number, high: number] | undefined {
  const parts = text.split(between);
  const [low = NaN, high = NaN] = parts.map((part) => (part.trim() === '' ? NaN : Number(part)));
  return parts.length === 2 && low >= 0 && low < high && high <= 0.5 ? [low, high] : undefined;
}
