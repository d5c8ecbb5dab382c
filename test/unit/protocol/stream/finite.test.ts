import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { areFinite } from '../../../../src/protocol/stream/finite.ts';
import type { DType } from '../../../../src/protocol/stream/frames.ts';

/** Value by value, by the definition. */
function areFiniteSlowly(bytes: Uint8Array, dtype: DType): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const width = dtype === 'f16' ? 2 : 4;
  for (let at = 0; at + width <= bytes.length; at += width)
    if (
      dtype === 'f16' ? (view.getUint16(at, true) & 0x7c00) === 0x7c00 : !isFinite(view.getFloat32(at, true))
    )
      return false;
  return true;
}

/** Packed values that begin at any byte. */
const packed = (width: number): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(fc.uint8Array({ maxLength: 60 }), fc.nat(5), fc.constantFrom(0, 1, 0x7c, 0x7f, 0xff, 0x80))
    .map(([bytes, offset, often]) => {
      const whole = new Uint8Array(offset + bytes.length - (bytes.length % width));
      for (let at = offset; at < whole.length; at++) {
        const byte = bytes[at - offset] as number;
        whole[at] = byte % 3 === 0 ? often : byte;
      }
      return whole.subarray(offset);
    });

it.each([
  ['f16', 2],
  ['f32', 4],
] as const)('finds what is not finite among packed %s values, wherever they begin', (dtype, width) => {
  fc.assert(
    fc.property(packed(width), (bytes) => areFinite(bytes, dtype) === areFiniteSlowly(bytes, dtype)),
    { numRuns: 5000 },
  );
});

it.each([
  ['f16', 2, 0x7c],
  ['f32', 4, 0x7f],
] as const)('finds one value that is not finite anywhere in a long %s tensor', (dtype, width, top) => {
  // More than what is looked at in one piece, with an odd number of halves.
  const bytes = new Uint8Array(3 + 40_002 * 2).subarray(3, 3 + (dtype === 'f16' ? 40_001 : 20_001) * width);
  expect(areFinite(bytes, dtype)).toBe(true);
  for (const value of [0, 1, 8190, 8191, 8192, 16_383, 16_384, 20_000]) {
    const last = (value + 1) * width - 1;
    bytes[last] = top;
    if (dtype === 'f32') bytes[last - 1] = 0x80;
    expect([value, areFinite(bytes, dtype)]).toEqual([value, false]);
    bytes.fill(0, last - 1, last + 1);
    expect(areFinite(bytes, dtype)).toBe(true);
  }
  expect(areFinite(new Uint8Array(0), dtype)).toBe(true);
});
