/** Tokens of bytes: what they add to a text is told when a character is whole, and all of it once the text is finished. */
import { describe, expect, it } from 'vitest';
import { byteRanges } from '../../../../src/model/text/spoken-text.ts';

/** A token for each byte, decoded as tokenizers do it: half a character is U+FFFD. */
const decode = (ids: readonly number[]): string => new TextDecoder().decode(Uint8Array.from(ids));
const tokensOf = (text: string): number[] => [...new TextEncoder().encode(text)];

describe('byte ranges of tokens', () => {
  it('give a character to the token that completes it', () => {
    const ranges = byteRanges(tokensOf('aéb'), decode, 'goes on');
    expect(ranges).toEqual([
      [0, 1],
      [1, 1],
      [1, 3],
      [3, 4],
    ]);
  });

  it.each([
    ['ends in U+FFFD', tokensOf('a\u{FFFD}')],
    ['is only U+FFFD', tokensOf('\u{FFFD}\u{FFFD}')],
    ['ends within a character', tokensOf('a🙂').slice(0, -1)],
  ])('reach to the end of a finished text that %s', (_, ids) => {
    const ranges = byteRanges(ids, decode, 'finished');
    expect(ranges.at(-1)?.[1]).toBe(new TextEncoder().encode(decode(ids)).length);
    expect(ranges.flat()).toEqual(ranges.flat().toSorted((a, b) => a - b));
  });

  it('hold the rest back while the text may go on', () => {
    const half = tokensOf('a🙂').slice(0, -1);
    expect(byteRanges(half, decode, 'goes on').at(-1)).toEqual([1, 1]);
    expect(byteRanges(half, decode, 'goes on')).toEqual(
      byteRanges(tokensOf('a🙂'), decode, 'finished').slice(0, 4),
    );
  });
});
