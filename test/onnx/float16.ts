/** Half precision as ONNX Runtime gives it (bits in a Uint16Array on older Nodes) to single precision. */
import type ort from 'onnxruntime-node';

/** The numbers of a tensor from `offset` on, as float32; a view when they are float32 already. */
export function toFloat32(tensor: ort.Tensor, offset: number): Float32Array {
  const data = tensor.data as unknown;
  if (data instanceof Float32Array) return data.subarray(offset);
  const halves = data as Uint16Array;
  const bits = new Uint16Array(halves.buffer, halves.byteOffset + offset * 2, halves.length - offset);
  return Float32Array.from(bits, halfToNumber);
}

/** IEEE 754 binary16: 1 sign bit, 5 exponent bits, 10 fraction bits. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}
