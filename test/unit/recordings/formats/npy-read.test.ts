/** Arrays as NumPy writes them; the bytes are from numpy.save. */
import { describe, expect, it } from 'vitest';
import { parseNpy } from '../../../../src/recordings/formats/npy-read.ts';

function npy(header: string, data: Uint8Array): Uint8Array {
  const text = `${header.padEnd(118 - 1)}\n`;
  const bytes = new Uint8Array(10 + text.length + data.length);
  bytes.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length % 256, Math.floor(text.length / 256)]);
  bytes.set(new TextEncoder().encode(text), 10);
  bytes.set(data, 10 + text.length);
  return bytes;
}

const header = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer);

describe('parseNpy', () => {
  it.each([
    ['<f8', new Float64Array([1.5, -2, 0])],
    ['<f4', new Float32Array([1.5, -2, 0])],
    ['<i8', new BigInt64Array([1n, -2n, 0n])],
    ['<i4', new Int32Array([1, -2, 0])],
    ['<u2', new Uint16Array([1, 2, 0])],
    ['|i1', new Int8Array([1, -2, 0])],
  ])('reads %s', (descr, values) => {
    const array = parseNpy(npy(header(descr, '(3,)'), bytesOf(values)), 'x.npy');
    expect(array.shape).toEqual([3]);
    expect([...array.data]).toEqual(Array.from(values as ArrayLike<number | bigint>, Number));
  });

  it('reads half precision with its extremes', () => {
    const bits = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00]);
    const { data } = parseNpy(npy(header('<f2', '(8,)'), bytesOf(bits)), 'x.npy');
    expect([...data]).toEqual([1, -2, 65504, 2 ** -24, -0, Infinity, -Infinity, Number.NaN]);
  });

  it('turns column-major arrays into row-major ones', () => {
    const bytes = npy(header('<i4', '(2, 3)', 'True'), bytesOf(new Int32Array([11, 21, 12, 22, 13, 23])));
    expect([...parseNpy(bytes, 'x.npy').data]).toEqual([11, 12, 13, 21, 22, 23]);
  });

  it.each([
    ['is not a .npy file', new Uint8Array([1, 2, 3])],
    ['is cut short', npy(header('<f8', '(4,)'), bytesOf(new Float64Array(3)))],
    ['type that is not supported', npy(header('<c16', '(1,)'), new Uint8Array(16))],
    ['type that is not supported', npy(header('>f8', '(1,)'), new Uint8Array(8))],
  ])('refuses what %s', (message, bytes) => {
    expect(() => parseNpy(bytes, 'x.npy')).toThrow(message);
  });
});
