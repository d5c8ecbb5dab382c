/**
 * The part of the protobuf wire format that is needed to read and extend ONNX files. It knows nothing of ONNX.
 */
import { EntrainError } from '../protocol/errors.ts';

export interface Field {
  number: number;
  /** Value of a varint field; 0 for other wire types. */
  value: number;
  /** Payload of a length-delimited or fixed-width field, as a view into the message; empty for a varint. */
  bytes: Uint8Array;
  /** Offset of the field in the message, its tag included. */
  start: number;
  end: number;
}

const EMPTY: Uint8Array = new Uint8Array(0);
const utf8 = new TextDecoder();

/** The fields of a message in the order in which they are written; payloads are views. */
export function* readFields(message: Uint8Array): Generator<Field> {
  const cursor = { message, at: 0 };
  while (cursor.at < message.length) {
    const start = cursor.at;
    const tag = readVarint(cursor);
    const field = { number: Math.floor(tag / 8), value: 0, bytes: EMPTY, start, end: 0 };
    const wire = tag % 8;
    if (wire === 0) field.value = readVarint(cursor);
    else field.bytes = take(cursor, payloadLength(wire, cursor));
    field.end = cursor.at;
    yield field;
  }
}

interface Cursor {
  message: Uint8Array;
  at: number;
}

function payloadLength(wire: number, cursor: Cursor): number {
  if (wire === 2) return readVarint(cursor);
  if (wire === 1) return 8;
  if (wire === 5) return 4;
  throw damaged(`wire type ${wire} at byte ${cursor.at} is none of protobuf's`);
}

function take(cursor: Cursor, length: number): Uint8Array {
  const end = cursor.at + length;
  if (end > cursor.message.length) throw damaged(`a field ends at byte ${end} of ${cursor.message.length}`);
  const bytes = cursor.message.subarray(cursor.at, end);
  cursor.at = end;
  return bytes;
}

/**
 * Reads a varint. Values above 2^53 lose low bits and negative ones come out near 2^64; neither is used here.
 */
function readVarint(cursor: Cursor): number {
  let result = 0;
  let scale = 1;
  for (let i = 0; i < 10; i++) {
    const byte = cursor.message[cursor.at++];
    if (byte === undefined) throw damaged('a number is cut off at the end');
    result += (byte & 0x7f) * scale;
    if (byte < 0x80) return result;
    scale *= 128;
  }
  throw damaged('a number is longer than ten bytes');
}

function damaged(why: string): EntrainError {
  return new EntrainError(
    'MODEL_CORRUPT',
    `The ONNX file is truncated or damaged: ${why}; fetch the model again.`,
  );
}

export function text(bytes: Uint8Array): string {
  return utf8.decode(bytes);
}

/** The values of a repeated integer field, which may be packed (one payload) or single. */
export function integers(field: Field): number[] {
  if (field.bytes.length === 0) return [field.value];
  const cursor = { message: field.bytes, at: 0 };
  const values: number[] = [];
  while (cursor.at < field.bytes.length) values.push(readVarint(cursor));
  return values;
}

/** Writes a varint; a negative number as its 64-bit two's complement. */
export function writeVarint(value: number): Uint8Array {
  if (value < 0) return writeNegative(value);
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Uint8Array.from(bytes);
}

function writeNegative(value: number): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 128n; rest >>= 7n) bytes.push(Number(rest & 127n) + 128);
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** Writes a length-delimited field: a text, bytes or a nested message. */
export function writeBytes(number: number, payload: Uint8Array | string): Uint8Array {
  const body = typeof payload === 'string' ? new TextEncoder().encode(payload) : payload;
  return concat([writeVarint(number * 8 + 2), writeVarint(body.length), body]);
}

export function writeInteger(number: number, value: number): Uint8Array {
  return concat([writeVarint(number * 8), writeVarint(value)]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
