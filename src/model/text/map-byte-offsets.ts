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
    let found = next;
    // What the prompt omits is before the next character that it holds.
    while (found < original.length && original[found] !== character && isLeftOut(original[found])) found++;
    if (original[found] === character) {
      for (const one of original.slice(next, found + 1)) at += encoder.encode(one).length;
      next = found + 1;
    }
    for (let byte = encoder.encode(character).length; byte > 0; byte--) places.push(at);
  }
  return (byte) => places[Math.min(byte, places.length - 1)] ?? 0;
}

const isLeftOut = (character: string | undefined): boolean => /\p{Co}/u.test(character ?? '');
