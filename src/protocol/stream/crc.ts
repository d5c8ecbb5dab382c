/**
 * CRC-32 of bytes for a part of which it is known, without reading that part again. The algebra is that of
 * zlib's crc32_combine.
 */
import { crc32 } from 'node:zlib';

/** The polynomial of CRC-32; its highest power is in the lowest bit. */
const POLYNOMIAL = 0xedb88320;

/** CRC-32 of `bytes`; the part at `offset` of `known.length` bytes has the CRC-32 `known.crc`. */
export function crcAround(bytes: Uint8Array, known: { offset: number; length: number; crc: number }): number {
  const before = crc32(bytes.subarray(0, known.offset));
  const through = crcOfJoined(before, known);
  return crc32(bytes.subarray(known.offset + known.length), through);
}

/**
 * CRC-32 of the concatenation of bytes with CRC-32 `before` and of `after.length` bytes with CRC-32
 * `after.crc`.
 */
export function crcOfJoined(before: number, after: { length: number; crc: number }): number {
  return (multiply(powerOfByte(after.length), before) ^ after.crc) >>> 0;
}

/** The frames of a stream have few different lengths, so the last power is kept. */
let lastPower = { length: -1, power: 0 };

/** x to the power 8 × length, modulo the polynomial. */
function powerOfByte(length: number): number {
  if (lastPower.length === length) return lastPower.power;
  let power = 1 << 31;
  let square = 1 << 23; // x⁸
  for (let rest = length; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) power = multiply(square, power);
    square = multiply(square, square);
  }
  lastPower = { length, power };
  return power;
}

/** Product of two polynomials modulo that of CRC-32; the coefficient of x⁰ is in the highest bit. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product;
}
