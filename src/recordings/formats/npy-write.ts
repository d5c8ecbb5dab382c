/** NumPy's .npy file, version 1.0, little-endian float32, row-major. */
const ALIGN = 64;

export function npyBytes(values: Float32Array, shape: number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`;
  const before = 10 + text.length + 1;
  const header = `${text}${' '.repeat((ALIGN - (before % ALIGN)) % ALIGN)}\n`;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 0xff, header.length >> 8]);
  const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), data]);
}
