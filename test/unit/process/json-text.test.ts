import { describe, expect, it } from 'vitest';
import { decodeText, jsonFaultAt, parseJsonText } from '../../../src/process/json-text.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('decodeText', () => {
  it('reads UTF-8 with and without a byte order mark, and UTF-16 with one', () => {
    expect(decodeText(bytes('é {}'))).toEqual({ text: 'é {}' });
    expect(decodeText(bytes('\uFEFFé {}'))).toEqual({ text: 'é {}' });
    expect(decodeText(Buffer.from('\uFEFFé', 'utf16le'))).toEqual({ text: 'é' });
    expect(decodeText(Buffer.from('\uFEFFé', 'utf16le').swap16())).toEqual({ text: 'é' });
  });

  it.each([
    [Buffer.from('{\n "a": "caf\xe9"}', 'latin1'), 'line 2, column 11 (byte 0xe9'],
    [Buffer.from('{"a": "\x93quoted\x94"}', 'latin1'), 'line 1, column 8 (byte 0x93'],
    [Buffer.concat([bytes('é'), Buffer.from([0xff])]), 'line 1, column 2 (byte 0xff'],
    [Buffer.from([0x22, 0xe2, 0x82]), 'line 1, column 2'],
  ])('names the place of the first byte that is not UTF-8: %j', (data, place) => {
    expect(decodeText(data)).toEqual({ fault: expect.stringContaining(place) as string });
  });
});

describe('a text in a wide encoding', () => {
  const swapped = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
  it.each([
    ['UTF-16LE without a mark', Buffer.from('{"a": 1}', 'utf16le')],
    ['UTF-16BE without a mark', swapped('{"a": 1}')],
    ['UTF-32LE', Buffer.from([0xff, 0xfe, 0, 0, 0x7b, 0, 0, 0])],
    ['UTF-32BE', Buffer.from([0, 0, 0xfe, 0xff, 0, 0, 0, 0x7b])],
  ])('is named if it is %s', (_, data) => {
    expect(decodeText(data)).toEqual({
      fault: expect.stringContaining('looks like UTF-16 or UTF-32') as string,
    });
  });
});

describe('parseJsonText', () => {
  it('says where a text is deeper than any may be', () => {
    expect(parseJsonText('['.repeat(200_000))).toEqual({
      fault: 'is not JSON at line 1, column 502: found "[" where JSON cannot go on',
    });
  });

  it('gives the parsed value', () => {
    expect(parseJsonText(' {"a": [1, -2.5e3, true, null, "x\\u00e9\\n"], "b": {}} \n')).toEqual({
      value: { a: [1, -2500, true, null, 'xé\n'], b: {} },
    });
  });

  it.each([
    ['', 'line 1, column 1: the text ends'],
    ['{', 'line 1, column 2: the text ends'],
    ['{"a": 1,\n}', 'line 2, column 1: found "}"'],
    ['{"a": 1\n "b": 2}', 'line 2, column 2: found "\\""'],
    ['{\r\n  "a" 1}', 'line 2, column 7: found "1"'],
    ['{"é😀": x}', 'line 1, column 8: found "x"'],
    ["{'a': 1}", 'line 1, column 2: found "\'"'],
    ['[1, 2,]', 'line 1, column 7: found "]"'],
    ['[01]', 'line 1, column 3: found "1"'],
    ['{"a": "two\nlines"}', 'line 1, column 7: found "\\""'],
    ['{"a": NaN}', 'line 1, column 7: found "N"'],
    ['{"a": 1} // note', 'line 1, column 10: found "/"'],
    ['{"a": {"b": [1, {"c": }]}}', 'line 1, column 23: found "}"'],
  ])('says where %j stops being JSON', (text, place) => {
    expect(parseJsonText(text)).toEqual({ fault: `is not JSON at ${place} where JSON cannot go on` });
  });

  it('accepts the same texts as JSON.parse', () => {
    for (const text of ['{"a":[{},[],"",0.5,-0,1E5]}', '"x"', ' null\t', '[[[]]]'])
      expect(jsonFaultAt(text)).toBe(text.length);
  });
});
