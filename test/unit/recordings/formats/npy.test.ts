/**
 * Arrays as NumPy writes them: bytes of numpy.save from 1.26 and, for the header with longs, from Python 2.7.
 */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { npyBytes, readNpy, readNpyLabels } from '../../../../src/recordings/formats/npy.ts';
import { temporaryFolder } from '../../../fixtures/stream/stream-fixture.ts';

function npy(header: string, data: Uint8Array = new Uint8Array(0)): Uint8Array {
  const text = `${header.padEnd(118 - 1)}\n`;
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, text.length % 256, text.length >> 8]);
  return Buffer.concat([start, Buffer.from(text, 'latin1'), data]);
}

const header = (descr: string, shape: string, fortran = 'False'): string =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }`;
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);
const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex');

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'x.npy');
  await writeFile(path, bytes);
  return path;
}

const read = async (bytes: Uint8Array) => readNpy(await fileOf(bytes));

describe('readNpy', () => {
  it.each([
    ['<f8', new Float64Array([1.5, -2, 0])],
    ['<f4', new Float32Array([1.5, -2, 0])],
    ['<i8', new BigInt64Array([1n, -2n, 0n])],
    ['<i4', new Int32Array([1, -2, 0])],
    ['<u2', new Uint16Array([1, 2, 0])],
    ['|i1', new Int8Array([1, -2, 0])],
  ])('reads %s', async (descr, values) => {
    const array = await read(npy(header(descr, '(3,)'), bytesOf(values)));
    expect(array.shape).toEqual([3]);
    expect([...array.data]).toEqual(Array.from(values as ArrayLike<number | bigint>, Number));
  });

  it.each([
    ['>f8', '3ff8000000000000 c000000000000000'],
    ['>f4', '3fc00000 c0000000'],
    ['>f2', '3e00 c000'],
    ['>i8', '0000000000000003 fffffffffffffffe'],
    ['>i4', '00000003 fffffffe'],
    ['>i2', '0003 fffe'],
    ['>u4', '00000003 fffffffe'],
  ])('reads %s, most significant byte first', async (descr, bytes) => {
    const wanted = descr === '>u4' ? [3, 4294967294] : [descr.includes('f') ? 1.5 : 3, -2];
    expect([...(await read(npy(header(descr, '(2,)'), hex(bytes)))).data]).toEqual(wanted);
  });

  it('reads the header of Python 2, which writes sizes as longs, and an array without axes', async () => {
    const data = bytesOf(new Float64Array([1, 2, 3, 4, 5, 6]));
    expect((await read(npy(header('<f8', '(3L, 2L)'), data))).shape).toEqual([3, 2]);
    expect((await read(npy(header('<f8', '(6L,)'), data))).shape).toEqual([6]);
    expect(await read(npy(header('<f8', '()'), data))).toEqual({ shape: [], data: new Float64Array([1]) });
  });

  it('reads half precision including its extremes', async () => {
    const bits = new Uint16Array([0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00, 0xfc00, 0x7e00]);
    const { data } = await read(npy(header('<f2', '(8,)'), bytesOf(bits)));
    expect([...data]).toEqual([1, -2, 65504, 2 ** -24, -0, Infinity, -Infinity, Number.NaN]);
  });

  it('converts column-major arrays to row-major', async () => {
    const values = new Int32Array([111, 211, 121, 221, 131, 231, 112, 212, 122, 222, 132, 232]);
    const array = await read(npy(header('<i4', '(2, 3, 2)', 'True'), bytesOf(values)));
    expect([...array.data]).toEqual([111, 112, 121, 122, 131, 132, 211, 212, 221, 222, 231, 232]);
  });

  it('reads arrays that are longer than one read', async () => {
    const values = Float64Array.from({ length: 2 ** 20 + 3 }, (_, k) => k);
    const { shape, data } = await read(npy(header('<f8', `(${values.length},)`), bytesOf(values)));
    expect(shape).toEqual([values.length]);
    expect(Buffer.compare(bytesOf(data), bytesOf(values))).toBe(0);
  });

  it('reads from a file of more than 2 GiB', async () => {
    const path = await fileOf(npy(header('<f8', '(2,)'), bytesOf(new Float64Array([7, 8]))));
    const file = await open(path, 'r+');
    await file.truncate(3 * 2 ** 30);
    await file.close();
    expect([...(await readNpy(path)).data]).toEqual([7, 8]);
  });

  it('reads what npyBytes writes', async () => {
    const array = await read(npyBytes(new Float32Array([1, 2, 3, 4, 5, 6]), [2, 3]));
    expect(array).toEqual({ shape: [2, 3], data: new Float64Array([1, 2, 3, 4, 5, 6]) });
  });

  it.each([
    ['is not a .npy file', new Uint8Array([1, 2, 3])],
    ['is a .npz archive', Buffer.from('PK\u0003\u0004 and more of it')],
    ['is cut short', npy(header('<f8', '(4,)'), bytesOf(new Float64Array(3)))],
    ['(c16: complex numbers)', npy(header('<c16', '(1,)'), new Uint8Array(16))],
    ['(f16: floats of a size', npy(header('<f16', '(1,)'), new Uint8Array(16))],
    ['(O: Python objects)', npy(header('|O', '(1,)'), new Uint8Array(8))],
    ['(U3: text)', npy(header('<U3', '(1,)'), new Uint8Array(12))],
    [
      'is a structured array with named fields',
      npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", new Uint8Array(4)),
    ],
    ['has a header that is not understood', npy(header('<f8', '(two,)'), new Uint8Array(16))],
    ['has a header that is not understood', npy("{'descr': '<f8'}", new Uint8Array(16))],
  ])('refuses a file that %s', async (message, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'MEASURE_INPUT' });
    await expect(read(bytes)).rejects.toThrow(message);
  });

  it('says why a file cannot be read', async () => {
    await expect(readNpy('/nowhere/a.npy')).rejects.toThrow('cannot read /nowhere/a.npy (ENOENT)');
    const folder = await temporaryFolder();
    await expect(readNpy(folder)).rejects.toThrow(`cannot read ${folder} (EISDIR)`);
  });
});

describe('readNpyLabels', () => {
  const labels = async (bytes: Uint8Array) => (await readNpyLabels(await fileOf(bytes))).labels;

  it('keeps whole numbers apart that are the same double', async () => {
    const signed = new BigInt64Array([5n, -(2n ** 53n) - 1n, 2n ** 53n + 1n, 2n ** 53n]);
    expect(await labels(npy(header('<i8', '(4,)'), bytesOf(signed)))).toEqual([5, ...[...signed].slice(1)]);
    const unsigned = new BigUint64Array([2n ** 64n - 1n, 2n ** 64n - 2n]);
    expect(await labels(npy(header('<u8', '(2,)'), bytesOf(unsigned)))).toEqual([...unsigned]);
    expect(await labels(npy(header('>i8', '(1,)'), hex('0020000000000001')))).toEqual([2n ** 53n + 1n]);
  });

  it('reads text of one byte and of four bytes per character', async () => {
    expect(await labels(npy(header('|S3', '(2,)'), Buffer.from('ab\u0000abc')))).toEqual(['ab', 'abc']);
    const wide = new Uint32Array([0xe9, 0, 0x1f600, 0x62]);
    expect(await labels(npy(header('<U2', '(2,)'), bytesOf(wide)))).toEqual(['é', '😀b']);
  });
});
