/**
 * Makes the weights of a graph external: each large one is replaced by its position in the file, and the runtime maps
 * it from there. The graph that remains is small to read, patch and cache.
 */
import { concat, readFields, writeBytes, writeInteger } from '../../onnx/protobuf.ts';

const MODEL_GRAPH = 7;
const INITIALIZER = 5;
const TENSOR = { raw: 9, externalData: 13, location: 14 };
const EXTERNAL = 1;

/** The runtime reads shapes and axes while it loads, so small tensors stay. */
const SMALL_BYTES = 1024;

/**
 * @param bytes the whole file
 * @param file its name in the folder of weights
 */
export function externaliseWeights(bytes: Uint8Array, file: string): Uint8Array {
  const pieces: Uint8Array[] = [];
  for (const field of readFields(bytes)) {
    if (field.number !== MODEL_GRAPH) pieces.push(bytes.subarray(field.start, field.end));
    else pieces.push(writeBytes(MODEL_GRAPH, externaliseFields(field.bytes, { bytes, file })));
  }
  return concat(pieces);
}

interface Whole {
  bytes: Uint8Array;
  file: string;
}

function externaliseFields(graph: Uint8Array, whole: Whole): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of readFields(graph)) {
    const light = field.number === INITIALIZER ? externaliseWeight(field.bytes, whole) : undefined;
    parts.push(light ? writeBytes(INITIALIZER, light) : graph.subarray(field.start, field.end));
  }
  return concat(parts);
}

function externaliseWeight(weight: Uint8Array, { bytes, file }: Whole): Uint8Array | undefined {
  const fields = [...readFields(weight)];
  const raw = fields.find(({ number }) => number === TENSOR.raw);
  if (!raw || raw.bytes.length < SMALL_BYTES) return undefined;
  const entry = (key: string, value: string | number): Uint8Array =>
    writeBytes(TENSOR.externalData, concat([writeBytes(1, key), writeBytes(2, String(value))]));
  return concat([
    ...fields.filter((field) => field !== raw).map(({ start, end }) => weight.subarray(start, end)),
    entry('location', file),
    entry('offset', raw.bytes.byteOffset - bytes.byteOffset),
    entry('length', raw.bytes.length),
    writeInteger(TENSOR.location, EXTERNAL),
  ]);
}
