/**
 * Tokens of bytes: what they add to a text is told when a character is whole, and all of it once the text is finished.
 */
import { describe, expect, it } from 'vitest';
import { byteRanges, createTextStream } from '../../../../src/model/text/detokenizer.ts';

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

describe('a stream of text', () => {
  it.each([
    ['half a character, again and again', [0xf0]],
    ['two bytes of three, again and again', [0xe2, 0x82]],
    ['bytes that begin nothing', [0x82]],
    ['whole characters of bytes', [...tokensOf('🙂')]],
    ['half characters among whole ones', [...tokensOf('a🙂'), 0xf0, 0x9f]],
  ])('gives the same as decoding all at once, in linear time: %s', (_, bytes) => {
    const ids = Array.from({ length: 4096 }, (_one, i) => bytes[i % bytes.length] as number);
    let decoded = 0;
    const stream = createTextStream((part) => {
      decoded += part.length;
      return decode(part);
    });
    let text = ids.map((id) => stream.push(id).text).join('');
    text += stream.end().text;
    expect(text).toBe(decode(ids));
    expect(stream.text()).toBe(text);
    expect(decoded).toBeLessThan(4096 * 100);
  });

  it('is not delayed by tokens without text', () => {
    let longest = 0;
    const stream = createTextStream((part) => {
      longest = Math.max(longest, part.length);
      return decode(part.filter((id) => id > 0));
    });
    for (const id of [97, ...Array.from({ length: 1000 }, () => 0), 98]) stream.push(id);
    expect([stream.text(), longest]).toEqual(['ab', 2]);
  });
});
