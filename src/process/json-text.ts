/**
 * Decodes and parses JSON files as people save them: UTF-8 with or without a byte order mark, or UTF-16 with
 * one. An error gives line and column, whichever JavaScript engine runs.
 */

/** Position of the first invalid character: line and column, both counted from 1. */
export interface TextPlace {
  line: number;
  column: number;
}

export type Decoded = { text: string } | { fault: string };

/** The text of a file, or why it cannot be decoded, as the end of a sentence. */
export function decodeText(bytes: Uint8Array): Decoded {
  const [first = 0, second = 0, third = 1, fourth = 1] = bytes;
  if (first === 0xff && second === 0xfe && third + fourth > 0)
    return { text: new TextDecoder('utf-16le').decode(bytes) };
  if (first === 0xfe && second === 0xff) return { text: new TextDecoder('utf-16be').decode(bytes) };
  // No text of ours begins with U+0000, nor has one behind its first character.
  if (bytes.subarray(0, 4).includes(0)) return { fault: WIDE };
  try {
    // The decoder removes a byte order mark.
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    const { line, column, byte } = firstInvalidByte(bytes);
    const named = `0x${byte.toString(16).padStart(2, '0')}`;
    return {
      fault: `is not UTF-8 at line ${line}, column ${column} (byte ${named}; Latin-1 or Windows-1252?): save it as UTF-8`,
    };
  }
}

const WIDE = 'looks like UTF-16 or UTF-32 without a byte order mark of UTF-16: save it as UTF-8';

/** The parsed value, or what is wrong and where. */
export function parseJsonText(text: string): { value: unknown } | { fault: string } {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    const at = jsonFaultAt(text);
    const { line, column } = placeAt(text, at);
    const found = at >= text.length ? 'the text ends' : `found ${JSON.stringify(text[at])}`;
    return { fault: `is not JSON at line ${line}, column ${column}: ${found} where JSON cannot go on` };
  }
}

function placeAt(text: string, at: number): TextPlace {
  const before = text.slice(0, at).split(/\r\n|\r|\n/);
  return { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1 };
}

/** Position of the first byte that is not valid UTF-8. */
function firstInvalidByte(bytes: Uint8Array): TextPlace & { byte: number } {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let [at, line, column] = [0, 1, 1];
  while (at < bytes.length) {
    const byte = bytes[at] as number;
    const length = byte < 0xc0 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
    try {
      decoder.decode(bytes.subarray(at, at + length));
    } catch {
      return { line, column, byte };
    }
    if (byte === 0x0a) [line, column] = [line + 1, 1];
    else column += 1;
    at += length;
  }
  return { line, column, byte: 0 };
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR =
  /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const STRING = /"(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** Deeper texts are taken for wrong there, since no file of ours is as deep and the stack has an end. */
const DEEPEST = 500;

/**
 * Index of the first character that no JSON text may have there; the length of the text if it ends too early.
 */
export function jsonFaultAt(text: string): number {
  let [at, depth] = [0, 0];
  const skip = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    at += found?.[0].length ?? 0;
    return found !== null;
  };
  const takes = (char: string): boolean => {
    skip(SPACE);
    if (text[at] !== char) return false;
    at += 1;
    return true;
  };
  const list = (end: string, item: () => boolean): boolean => {
    depth += 1;
    const isWhole = depth <= DEEPEST && (takes(end) || items(end, item));
    depth -= 1;
    return isWhole;
  };
  const items = (end: string, item: () => boolean): boolean => {
    while (item()) {
      if (takes(end)) return true;
      if (!takes(',')) return false;
    }
    return false;
  };
  const value = (): boolean => {
    if (takes('{')) return list('}', () => (skip(SPACE), skip(STRING)) && takes(':') && value());
    if (takes('[')) return list(']', value);
    return skip(SCALAR);
  };
  if (value()) skip(SPACE);
  return at;
}
