/** The safetensors format: the length of a JSON header, the header, then the tensors. */
import type { DType } from '../../protocol/stream/frames.ts';

export interface NamedTensor {
  name: string;
  dtype: DType;
  shape: number[];
  data: Uint8Array;
}

const TYPES: Record<DType, string> = { f16: 'F16', f32: 'F32' };

export function safetensorsBytes(tensors: NamedTensor[], metadata: Record<string, string>): Uint8Array {
  const entries: Record<string, unknown> = { __metadata__: metadata };
  let at = 0;
  for (const { name, dtype, shape, data } of tensors) {
    entries[name] = { dtype: TYPES[dtype], shape, data_offsets: [at, at + data.length] };
    at += data.length;
  }
  const text = JSON.stringify(entries);
  // The tensors begin at a multiple of eight; the header is padded with spaces.
  const header = Buffer.from(text.padEnd(text.length + ((8 - (Buffer.byteLength(text) % 8)) % 8), ' '));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, header, ...tensors.map(({ data }) => data)]);
}
