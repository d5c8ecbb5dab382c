/**
 * NumPy's .npy files, versions 1 to 3. Reads numbers of either byte order, row-major or column-major, from
 * files of any size and with the header of any NumPy (Python 2 wrote sizes as `64L`); labels may also be text.
 * Writes little-endian float32, row-major. Source: numpy.lib.format.
 */
import { open, type FileHandle } from 'node:fs/promises';
import { EntrainError } from '../../protocol/errors.ts';
import { ELEMENTS, labelReader, whyUnsupported, type ElementReader } from './npy-elements.ts';

export interface NpyArray {
  shape: number[];
  /** Row-major. */
  data: Float64Array;
}

/** A label exactly as in the file; whole numbers beyond 2⁵³ are bigint. */
export type NpyLabel = number | bigint | string;

export interface NpyLabels {
  shape: number[];
  labels: NpyLabel[];
}

interface Header {
  shape: number[];
  count: number;
  /** Kind and size as NumPy writes them, without the byte order, such as `f8`. */
  type: string;
  itemBytes: number;
  littleEndian: boolean;
  columnMajor: boolean;
  /** Offset of the data. */
  start: number;
}

const MAGIC = '\x93NUMPY';
const LONGEST_HEADER = 2 ** 20;
const CHUNK_BYTES = 8 * 2 ** 20;

/** @throws EntrainError `MEASURE_INPUT` if the file cannot be read or holds no numbers */
export async function readNpy(path: string): Promise<NpyArray> {
  return withFile(path, async (file) => {
    const header = await readHeader(file, path);
    const read = ELEMENTS[header.type];
    if (!read) throw refused(path, whyUnsupported(header.type));
    const data = numbersFor(header, path);
    const { littleEndian } = header;
    await eachElement(file, header, (view, offset, at) => {
      data[at] = read(view, offset, littleEndian);
    });
    return { shape: header.shape, data };
  });
}

/** @throws EntrainError `MEASURE_INPUT` as `readNpy` */
export async function readNpyLabels(path: string): Promise<NpyLabels> {
  return withFile(path, async (file) => {
    const header = await readHeader(file, path);
    const { littleEndian, itemBytes } = header;
    const read: ElementReader<NpyLabel> | undefined = labelReader(header.type, itemBytes);
    if (!read) throw refused(path, whyUnsupported(header.type));
    const labels: NpyLabel[] = [];
    await eachElement(file, header, (view, offset, at) => {
      labels[at] = read(view, offset, littleEndian);
    });
    return { shape: header.shape, labels };
  });
}

/** An array [n, layers, dims] or [n, dims] of which one layer is read at a time. */
export interface NpyLayers {
  n: number;
  layers: number;
  dims: number;
  /** [n, dims], row-major. */
  read(layer: number): Promise<Float64Array>;
}

/**
 * Opens the file for the time of `use`, which gets undefined for an array that is column-major or of another shape.
 * @throws EntrainError `MEASURE_INPUT` as `readNpy`
 */
export async function withNpyLayers<T>(
  path: string,
  use: (layers: NpyLayers | undefined) => Promise<T>,
): Promise<T> {
  return withFile(path, async (file) => {
    const header = await readHeader(file, path);
    const element = ELEMENTS[header.type];
    if (!element) throw refused(path, whyUnsupported(header.type));
    const [n = 0, ...rest] = header.shape;
    const [layers, dims] = rest.length === 2 ? (rest as [number, number]) : [1, rest[0] ?? 0];
    if (rest.length === 0 || rest.length > 2 || header.columnMajor) return use(undefined);
    const { start, itemBytes, littleEndian } = header;
    const read = async (layer: number): Promise<Float64Array> => {
      const out = new Float64Array(n * dims);
      for (let r = 0; r < n; r++) {
        const bytes = await readAt(file, start + (r * layers + layer) * dims * itemBytes, dims * itemBytes);
        const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        for (let c = 0; c < dims; c++) out[r * dims + c] = element(view, c * itemBytes, littleEndian);
      }
      return out;
    };
    return use({ n, layers, dims, read });
  });
}

async function withFile<T>(path: string, use: (file: FileHandle) => Promise<T>): Promise<T> {
  const unreadable = (cause: unknown): EntrainError =>
    new EntrainError(
      'MEASURE_INPUT',
      `cannot read ${path} (${(cause as NodeJS.ErrnoException).code ?? 'unknown fault'}); expected a .npy file, check the path`,
      { cause },
    );
  const file = await open(path).catch((cause: unknown) => {
    throw unreadable(cause);
  });
  try {
    return await use(file);
  } catch (error) {
    throw error instanceof EntrainError ? error : unreadable(error);
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle, path: string): Promise<Header> {
  const first = await readAt(file, 0, 12);
  const magic = first.toString('latin1', 0, 6);
  if (magic.startsWith('PK'))
    throw refused(path, 'is a .npz archive of several arrays', 'save each array with numpy.save');
  if (first.length < 12 || magic !== MAGIC) throw refused(path, 'is not a .npy file');
  const wide = first.readUInt8(6) >= 2;
  const from = wide ? 12 : 10;
  const length = wide ? first.readUInt32LE(8) : first.readUInt16LE(8);
  if (length > LONGEST_HEADER) throw refused(path, `has a header of ${length} bytes`);
  const header = parseHeader((await readAt(file, from, length)).toString('latin1'), path);
  const whole = { ...header, start: from + length };
  const { size } = await file.stat();
  const wanted = whole.start + whole.count * whole.itemBytes;
  if (size < wanted) throw refused(path, `is cut short: it has ${size} bytes, its header says ${wanted}`);
  return whole;
}

/** Parses the header, a Python dict: `{'descr': '<f8', 'fortran_order': False, 'shape': (64, 4), }`. */
function parseHeader(text: string, path: string): Omit<Header, 'start'> {
  if (/'descr':\s*\[/.test(text))
    throw refused(path, 'is a structured array with named fields', 'save one field of it with numpy.save');
  const [, order, kind = '', size = ''] = /'descr':\s*'([<>|=])([A-Za-z])(\d*)/.exec(text) ?? [];
  const sizes = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1]?.split(',') ?? ['?'];
  const shape = sizes.map((part) => part.trim()).filter((part) => part !== '');
  if (order === undefined || !shape.every((part) => /^\d+L?$/.test(part)))
    throw refused(path, `has a header that is not understood: ${text.trim().slice(0, 120)}`);
  const numbers = shape.map((part) => Number(part.replace('L', '')));
  return {
    shape: numbers,
    count: numbers.reduce((product, one) => product * one, 1),
    type: `${kind}${size}`,
    // A character of text takes four bytes.
    itemBytes: Number(size) * (kind === 'U' ? 4 : 1),
    littleEndian: order !== '>',
    columnMajor: /'fortran_order':\s*True/.test(text),
  };
}

function numbersFor({ count }: Header, path: string): Float64Array {
  try {
    return new Float64Array(count);
  } catch {
    const gib = ((count * 8) / 2 ** 30).toFixed(1);
    throw refused(path, `holds ${count} numbers, which take ${gib} GiB of memory`, 'save fewer of them');
  }
}

/** Calls for every element of the file with its row-major index; `offset` is its position in the view. */
async function eachElement(
  file: FileHandle,
  header: Header,
  take: (view: DataView, offset: number, at: number) => void,
): Promise<void> {
  const { count, itemBytes, start, columnMajor } = header;
  if (itemBytes === 0) return;
  const inChunk = Math.max(1, Math.floor(CHUNK_BYTES / itemBytes));
  const placeOf = columnMajor ? rowMajorPlaces(header.shape) : undefined;
  for (let at = 0; at < count; at += inChunk) {
    const elements = Math.min(inChunk, count - at);
    const bytes = await readAt(file, start + at * itemBytes, elements * itemBytes);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let k = 0; k < elements; k++) take(view, k * itemBytes, placeOf ? placeOf() : at + k);
  }
}

/**
 * Returns a function that gives, call by call, the row-major index of the next element in column-major order.
 */
function rowMajorPlaces(shape: number[]): () => number {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, size) => product * size, 1));
  const index = shape.map(() => 0);
  let place = 0;
  return () => {
    const found = place;
    for (let axis = 0; axis < shape.length; axis++) {
      const [size, stride] = [shape[axis] as number, strides[axis] as number];
      index[axis] = (index[axis] as number) + 1;
      place += stride;
      if ((index[axis] as number) < size) break;
      index[axis] = 0;
      place -= size * stride;
    }
    return found;
  };
}

/** Reads `length` bytes, or fewer at the end of the file. */
async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let have = 0;
  while (have < length) {
    const { bytesRead } = await file.read(bytes, have, length - have, position + have);
    if (bytesRead === 0) break;
    have += bytesRead;
  }
  return bytes.subarray(0, have);
}

function refused(path: string, what: string, advice = 'save it with numpy.save as numbers'): EntrainError {
  return new EntrainError('MEASURE_INPUT', `${path} ${what}; ${advice}`);
}

const ALIGN = 64;

/** An array as a file of version 1.0. */
export function npyBytes(values: Float32Array, shape: number[]): Uint8Array {
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${tuple}), }`;
  const before = 10 + text.length + 1;
  const header = `${text}${' '.repeat((ALIGN - (before % ALIGN)) % ALIGN)}\n`;
  const start = Buffer.from([0x93, ...Buffer.from('NUMPY'), 1, 0, header.length & 0xff, header.length >> 8]);
  const data = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  return Buffer.concat([start, Buffer.from(header, 'latin1'), data]);
}
