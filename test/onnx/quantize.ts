/** Symmetric 4-bit blocks of 32 as `MatMulNBits` reads them: value = (q − 8) · scale, two to a byte, the low half first. */

/** @param matrix [out, in], `in` a multiple of 32 */
export function quantize4(matrix: Float32Array, out: number): { packed: Uint8Array; scales: Float32Array } {
  const inner = matrix.length / out;
  const packed = new Uint8Array(matrix.length / 2);
  const scales = new Float32Array((out * inner) / 32);
  for (let block = 0; block < scales.length; block++) {
    const values = matrix.subarray(block * 32, block * 32 + 32);
    const scale = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9) / 7;
    scales[block] = scale;
    for (let i = 0; i < 32; i += 2) {
      packed[block * 16 + i / 2] = level(values[i] ?? 0, scale) | (level(values[i + 1] ?? 0, scale) << 4);
    }
  }
  return { packed, scales };
}

function level(value: number, scale: number): number {
  return Math.min(15, Math.max(0, Math.round(value / scale) + 8));
}
