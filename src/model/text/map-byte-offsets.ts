/** Maps byte offsets of words in a prompt to byte offsets of the words as they were said. */

const encoder = new TextEncoder();

/**
 * @returns a function that gives the place in `said` for one in `held`, both offsets in UTF-8; the two differ by
 * inserted or omitted characters
 */
export function mapBytes(held: string, said: string): (byte: number) => number {
  const places = [0];
  const original = Array.from(said);
  let [at, next] = [0, 0];
  for (const character of held) {
    // What the prompt omits is before the next character that it holds.
    const skipped = original[next] === character ? 0 : original.slice(next).indexOf(character);
    const isPutIn = skipped < 0 || (skipped > 0 && !isLeftOut(original.slice(next, next + skipped)));
    if (!isPutIn) {
      for (const one of original.slice(next, next + skipped + 1)) at += encoder.encode(one).length;
      next += skipped + 1;
    }
    for (let byte = encoder.encode(character).length; byte > 0; byte--) places.push(at);
  }
  return (byte) => places[Math.min(byte, places.length - 1)] ?? 0;
}

const isLeftOut = (characters: readonly string[]): boolean => characters.every((one) => /\p{Co}/u.test(one));
