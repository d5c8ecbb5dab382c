/** Reads NumPy's .npy files: any of its plain number types, row-major or column-major. */
import { readFile } from 'node:fs/promises';
import { EntrainError } from '../../protocol/errors.ts';

export interface NpyArray {
  shape: number[];
  /** Row-major. */
  data: Float64Array;
}

const MAGIC = '\x93NUMPY';

type Reader = (view: DataView, at: number) => number;

/** Little-endian readers by kind and size in bytes. */
const READERS: Record<string, Reader> = {
  f2: (view, at) => halfToNumber(view.getUint16(at, true)),
  f4: (view, at) => view.getFloat32(at, true),
  f8: (view, at) => view.getFloat64(at, true),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at) => view.getInt16(at, true),
  i4: (view, at) => view.getInt32(at, true),
  i8: (view, at) => Number(view.getBigInt64(at, true)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at) => view.getUint16(at, true),
  u4: (view, at) => view.getUint32(at, true),
  u8: (view, at) => Number(view.getBigUint64(at, true)),
  b1: (view, at) => view.getUint8(at),
};

export async function readNpy(path: string): Promise<NpyArray> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new EntrainError('MEASURE_INPUT', `cannot read ${path}; expected a .npy file, check the path`, {
      cause,
    });
  });
  return parseNpy(bytes, path);
}

export function parseNpy(bytes: Uint8Array, path: string): NpyArray {
  const refuse = (what: string): never => {
    throw new EntrainError('MEASURE_INPUT', `${path} ${what}; save it with numpy.save as numbers`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || latin1(bytes, 0, 6) !== MAGIC) refuse('is not a .npy file');
  const wide = view.getUint8(6) >= 2;
  const start = (wide ? 12 : 10) + (wide ? view.getUint32(8, true) : view.getUint16(8, true));
  const header = latin1(bytes, wide ? 12 : 10, Math.min(start, bytes.length));
  const type = /'descr':\s*'([<|=])([fiub]\d)'/.exec(header);
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  const read = READERS[type?.[2] ?? ''];
  if (read === undefined || shapeText === undefined)
    return refuse('holds elements of a type that is not supported');
  const shape = shapeText
    .split(',')
    .filter((part) => part.trim() !== '')
    .map(Number);
  const count = shape.reduce((product, size) => product * size, 1);
  const size = Number(type?.[2]?.[1]);
  if (bytes.length < start + count * size) return refuse('is cut short');
  const data = Float64Array.from({ length: count }, (_, k) => read(view, start + k * size));
  return { shape, data: /'fortran_order':\s*True/.test(header) ? toRowMajor(data, shape) : data };
}

function latin1(bytes: Uint8Array, from: number, to: number): string {
  return String.fromCharCode(...bytes.subarray(from, to));
}

function toRowMajor(data: Float64Array, shape: number[]): Float64Array {
  return data.map((_, at) => {
    let rest = at;
    let from = 0;
    let stride = data.length;
    for (const size of shape.toReversed()) {
      stride /= size;
      from += (rest % size) * stride;
      rest = Math.floor(rest / size);
    }
    return data[from] as number;
  });
}

/** IEEE half precision. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
