/**
 * Finds the steps of a speaker and of a listener that belong together: those after which both have read the
 * same words. Their tokenizers may cut the words differently, so steps are compared where a token of both ends
 * at the same byte.
 *
 *   speaker:   The | cat | sat           listener:   The c | at | sat
 *   together:        cat ~ at, sat ~ sat
 */

/** Byte range of the utterance that a step has read, end exclusive. */
export type ByteRange = readonly [start: number, end: number];

/**
 * Indices of steps that belong together; steps are given in the order of the text. A step that ends inside a
 * character belongs to none.
 */
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
