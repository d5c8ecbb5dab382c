/** Finds which of several values was named last in a text, regardless of case. A value may have several words. */
import { wordsOf } from '../process/run-folder/words-of.ts';

/** Index of the last occurrence of a value among words; −1 if there is none. */
function lastPlace(words: readonly string[], value: string): number {
  const sought = wordsOf(value);
  if (sought.length === 0) return -1;
  for (let at = words.length - sought.length; at >= 0; at--)
    if (sought.every((word, offset) => words[at + offset] === word)) return at;
  return -1;
}

export const holds = (words: readonly string[], value: string): boolean => lastPlace(words, value) >= 0;

/** The value that is named last; of two at the same place, such as "park" in "park lane", the longer one. */
export function lastNamed(words: readonly string[], values: readonly string[]): string | undefined {
  const places = values.map((value) => ({
    value,
    at: lastPlace(words, value),
    length: wordsOf(value).length,
  }));
  const named = places.filter(({ at }) => at >= 0);
  const inside = (one: (typeof named)[number], other: (typeof named)[number]): boolean =>
    other.length > one.length && other.at <= one.at && one.at + one.length <= other.at + other.length;
  const whole = named.filter((one) => !named.some((other) => inside(one, other)));
  return whole.sort((a, b) => b.at - a.at)[0]?.value;
}
