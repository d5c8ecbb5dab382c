/** Whether packed values are finite: two of half precision at a time, without a branch. */
import type { DType } from './frames.ts';

/** The bytes of a frame begin anywhere, so they are copied to where words begin, 16 KB at a time. */
const words = new Int32Array(2 ** 12);
const copied = new Uint8Array(words.buffer);

/** Exponents of the values in a word, and what carries one of all ones into the sign, whose place is free. */
const MASKS = {
  f16: { exponent: 0x7c007c00, carry: 0x04000400, sign: 0x80008000 | 0 },
  f32: { exponent: 0x7f800000, carry: 0x00800000, sign: 0x80000000 | 0 },
} as const;

/** Whether no little-endian value is NaN or infinite, that is, has an exponent of all ones. */
export function areFinite(bytes: Uint8Array, dtype: DType): boolean {
  const { exponent, carry, sign } = MASKS[dtype];
  for (let start = 0; start < bytes.length; start += copied.length) {
    const part = bytes.subarray(start, start + copied.length);
    const count = Math.ceil(part.length / 4);
    // The last word may be half full.
    words[count - 1] = 0;
    copied.set(part);
    let seen = 0;
    for (let at = 0; at < count; at++) seen |= ((words[at] as number) & exponent) + carry;
    if ((seen & sign) !== 0) return false;
  }
  return true;
}
