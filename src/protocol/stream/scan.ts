/**
 * Scans the bytes of a message before they are decoded. It accepts only plain msgpack of bounded depth and size
 * without trailing bytes, and no extension types, from which msgpackr would build records, dates, regular
 * expressions and errors. It does not know what a message means.
 */
import { isUtf8 } from 'node:buffer';
import { EntrainError } from '../errors.ts';

export const MAX_DEPTH = 8;
/** Most values of any kind in one message; a steps frame has three per step. */
export const MAX_VALUES = 65_536;
/** Most bytes of all strings of one message; turning bytes into text is the slowest part of decoding. */
export const MAX_TEXT_BYTES = 2 ** 20;

interface Walk {
  bytes: Uint8Array;
  view: DataView;
  at: number;
  values: number;
  textBytes: number;
}

/** @throws EntrainError `FRAME_INVALID` */
export function scanMessage(bytes: Uint8Array): void {
  const walk: Walk = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    values: 0,
    textBytes: 0,
  };
  const first = bytes[0] ?? 0;
  if (!((first >= 0x80 && first <= 0x8f) || first === 0xde || first === 0xdf))
    fault('does not start with a map');
  scanValue(walk, 1);
  if (walk.at !== bytes.length) fault(`has ${bytes.length - walk.at} bytes after its end`);
}

function scanValue(walk: Walk, depth: number): void {
  if (++walk.values > MAX_VALUES) fault(`holds more than ${MAX_VALUES} values`);
  const token = take(walk, 1);
  if (token < 0x80 || token >= 0xe0) return;
  if (token < 0x90) return scanMap(walk, token & 0x0f, depth);
  if (token < 0xa0) return scanItems(walk, token & 0x0f, depth);
  if (token < 0xc0) return scanText(walk, token & 0x1f);
  scanMarked(walk, token, depth);
}

/** Handles tokens 0xc0…0xdf, which say what follows and how long it is. */
function scanMarked(walk: Walk, token: number, depth: number): void {
  switch (token) {
    case 0xc0: // nil
    case 0xc2: // false
    case 0xc3: // true
      return;
    case 0xc4: // bin 8, 16, 32
    case 0xc5:
    case 0xc6:
      return skip(walk, take(walk, 1 << (token - 0xc4)));
    case 0xca: // float 32, 64
    case 0xcb:
      return skip(walk, token === 0xca ? 4 : 8);
    case 0xcc: // uint 8, 16, 32, 64
    case 0xcd:
    case 0xce:
    case 0xcf:
      return skip(walk, 1 << (token - 0xcc));
    case 0xd0: // int 8, 16, 32, 64
    case 0xd1:
    case 0xd2:
    case 0xd3:
      return skip(walk, 1 << (token - 0xd0));
    case 0xd9: // str 8, 16, 32
    case 0xda:
    case 0xdb:
      return scanText(walk, take(walk, 1 << (token - 0xd9)));
    case 0xdc: // array 16, 32
    case 0xdd:
      return scanItems(walk, take(walk, 2 << (token - 0xdc)), depth);
    case 0xde: // map 16, 32
    case 0xdf:
      return scanMap(walk, take(walk, 2 << (token - 0xde)), depth);
    default: // 0xc1 is reserved; 0xc7–0xc9 and 0xd4–0xd8 are extensions
      fault(`holds the msgpack type 0x${token.toString(16)}, and only plain types are allowed`);
  }
}

function scanItems(walk: Walk, count: number, depth: number): void {
  if (depth > MAX_DEPTH) fault(`is nested deeper than ${MAX_DEPTH}`);
  for (let i = 0; i < count; i++) scanValue(walk, depth + 1);
}

function scanMap(walk: Walk, count: number, depth: number): void {
  if (depth > MAX_DEPTH) fault(`is nested deeper than ${MAX_DEPTH}`);
  for (let i = 0; i < count; i++) {
    const token = walk.bytes[walk.at] ?? 0;
    if (!((token >= 0xa0 && token < 0xc0) || (token >= 0xd9 && token <= 0xdb)))
      fault('has a map key that is not a string');
    scanValue(walk, depth + 1);
    scanValue(walk, depth + 1);
  }
}

function scanText(walk: Walk, length: number): void {
  const from = walk.at;
  skip(walk, length);
  walk.textBytes += length;
  if (walk.textBytes > MAX_TEXT_BYTES) fault(`holds more than ${MAX_TEXT_BYTES} bytes of text`);
  for (let i = from; i < walk.at; i++) {
    if ((walk.bytes[i] as number) < 0x80) continue;
    if (!isUtf8(walk.bytes.subarray(from, walk.at))) fault('holds a string that is not UTF-8');
    return;
  }
}

/** Reads an unsigned big-endian number of 1, 2 or 4 bytes. */
function take(walk: Walk, width: number): number {
  const from = walk.at;
  skip(walk, width);
  if (width === 1) return walk.bytes[from] as number;
  return width === 2 ? walk.view.getUint16(from) : walk.view.getUint32(from);
}

function skip(walk: Walk, length: number): void {
  walk.at += length;
  if (walk.at > walk.bytes.length) fault('ends in the middle of a value');
}

function fault(what: string): never {
  throw new EntrainError('FRAME_INVALID', `The message ${what}; expected one plain msgpack map.`);
}
