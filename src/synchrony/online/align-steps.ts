/**
 * Which steps of a speaker and of a listener belong together: those that have read the same words. Their tokenizers may cut the words
 * otherwise, so states are compared where a token of both ends at the same byte.
 *
 *   speaker:   The | cat | sat           listener:   The c | at | sat
 *   together:        cat ~ at, sat ~ sat
 */

/** Bytes of the utterance that a step has read, end exclusive. */
export type ByteRange = readonly [start: number, end: number];

/** Steps at hand in the order of the text → places of those that belong together. A step inside a character has read no end. */
export function alignSteps(
  speaker: readonly ByteRange[],
  listener: readonly ByteRange[],
): [speaker: number, listener: number][] {
  const ends = new Map<number, number>();
  for (const [place, [start, end]] of listener.entries()) if (end > start) ends.set(end, place);
  return speaker.flatMap(([start, end], place) => {
    const other = end > start ? ends.get(end) : undefined;
    return other === undefined ? [] : [[place, other]];
  });
}
