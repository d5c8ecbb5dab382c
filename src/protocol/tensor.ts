/** Hidden states to little-endian bytes and back. A tensor with a value that float16 cannot hold travels as float32. */
import { crc32 } from 'node:zlib';
import { fromF16, toF16 } from './f16.ts';
import type { DType } from './frames.ts';

export interface PackedTensor {
  dtype: DType;
  data: Uint8Array;
  crc32: number;
}

export const BYTES_PER_VALUE: Record<DType, number> = { f16: 2, f32: 4 };

/** The returned bytes are a copy, so the caller may reuse `values`. */
export function packTensor(values: Float32Array, prefer: DType): PackedTensor {
  const halves = prefer === 'f16' ? toF16(values) : undefined;
  const data = halves ? new Uint8Array(halves.buffer) : f32Bytes(values);
  return { dtype: halves ? 'f16' : 'f32', data, crc32: crc32(data) };
}

/** Values of a tensor's bytes, whatever their alignment. */
export function unpackTensor(dtype: DType, bytes: Uint8Array): Float32Array {
  const copy = new Uint8Array(bytes);
  if (dtype === 'f32') return new Float32Array(copy.buffer, 0, copy.byteLength / 4);
  return fromF16(new Uint16Array(copy.buffer, 0, copy.byteLength / 2));
}

function f32Bytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.slice().buffer);
}
