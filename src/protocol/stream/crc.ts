/** CRC-32 where that of a part is known: the part is not looked at again. The algebra is that of zlib's crc32_combine. */
import { crc32 } from 'node:zlib';

/** The polynomial of CRC-32, its highest power in the lowest bit. */
const POLYNOMIAL = 0xedb88320;

/** CRC-32 of `bytes`, of which the stretch at `offset` is `known.length` long and has the CRC-32 `known.crc`. */
export function crcAround(bytes: Uint8Array, known: { offset: number; length: number; crc: number }): number {
  const before = crc32(bytes.subarray(0, known.offset));
  const through = crcOfJoined(before, known);
  return crc32(bytes.subarray(known.offset + known.length), through);
}

/** CRC-32 of a stretch with the CRC-32 `before` and one of `after.length` bytes behind it. */
export function crcOfJoined(before: number, after: { length: number; crc: number }): number {
  return (multiply(powerOfByte(after.length), before) ^ after.crc) >>> 0;
}

/** The frames of a stream have few lengths. */
let lastPower = { length: -1, power: 0 };

/** x to the power of 8 × length. */
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

/** Product of two polynomials modulo that of CRC-32; the coefficient of x⁰ is the highest bit. */
function multiply(a: number, b: number): number {
  let product = 0;
  let shifted = b;
  for (let bit = 31; bit >= 0; bit--) {
    if ((a >>> bit) & 1) product ^= shifted;
    shifted = shifted & 1 ? (shifted >>> 1) ^ POLYNOMIAL : shifted >>> 1;
  }
  return product;
}
