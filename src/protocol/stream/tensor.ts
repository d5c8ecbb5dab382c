/**
 * Converts hidden states to little-endian bytes and back. A tensor with a value that float16 cannot hold is
 * sent as float32.
 */
import { crc32 } from 'node:zlib';
import { fromF16, toF16 } from './float16.ts';
import type { DType } from './frames.ts';

export interface PackedTensor {
  dtype: DType;
  data: Uint8Array;
  crc32: number;
}

export const BYTES_PER_VALUE: Record<DType, number> = { f16: 2, f32: 4 };

/** The returned bytes are a copy, so the caller may reuse `values`. */
export function packTensor(values: Float32Array, prefer: DType): PackedTensor {
  const packed = createTensorPacker()(values, prefer);
  return packed.dtype === 'f32' ? { ...packed, data: packed.data.slice() } : packed;
}

/**
 * Packs each tensor into the same memory: a result is valid until the next call, and while `values` is
 * unchanged.
 */
export function createTensorPacker(): (values: Float32Array, prefer: DType) => PackedTensor {
  let halves = new Uint16Array(0);
  return (values, prefer) => {
    if (prefer === 'f16' && halves.length < values.length) halves = new Uint16Array(values.length);
    const fits = prefer === 'f16' && toF16(values, halves);
    const data = fits
      ? new Uint8Array(halves.buffer, 0, values.length * BYTES_PER_VALUE.f16)
      : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    return { dtype: fits ? 'f16' : 'f32', data, crc32: crc32(data) };
  };
}

/** Values of a tensor's bytes, whatever their alignment. */
export function unpackTensor(dtype: DType, bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes);
  if (dtype === 'f32') return new Float32Array(copy.buffer, 0, copy.byteLength / 4);
  return fromF16(new Uint16Array(copy.buffer, 0, copy.byteLength / 2));
}
