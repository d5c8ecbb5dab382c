/** Reads the llama2.c layout ("version 0"), and makes random weights of the same form for speed. */
import { createRandom } from '../../src/model/random.ts';

export interface LlamaShape {
  dims: number;
  hidden: number;
  layers: number;
  heads: number;
  keyValueHeads: number;
  vocabulary: number;
  context: number;
}

/** Matrices are [out, in], row-major. */
export interface LlamaLayer {
  attentionNorm: Float32Array;
  q: Float32Array;
  k: Float32Array;
  v: Float32Array;
  o: Float32Array;
  mlpNorm: Float32Array;
  gate: Float32Array;
  up: Float32Array;
  down: Float32Array;
}

export interface LlamaWeights {
  shape: LlamaShape;
  /** [vocabulary, dims]; the output matrix too. */
  embedding: Float32Array;
  layers: LlamaLayer[];
  norm: Float32Array;
}

export function readLlama2c(file: Uint8Array): LlamaWeights {
  const header = new Int32Array(file.buffer, file.byteOffset, 7);
  const [dims = 0, hidden = 0, layers = 0, heads = 0, keyValueHeads = 0, vocabulary = 0, context = 0] =
    header;
  const shape = { dims, hidden, layers, heads, keyValueHeads, vocabulary, context };
  let at = file.byteOffset + 28;
  return fillWeights(shape, (size) => {
    const values = new Float32Array(file.buffer, at, size);
    at += size * 4;
    return values;
  });
}

export function randomWeights(shape: LlamaShape, seed: number): LlamaWeights {
  const random = createRandom(seed);
  const scale = 1.7 / Math.sqrt(shape.dims);
  return fillWeights(shape, (size) =>
    Float32Array.from({ length: size }, () => (random() - 0.5) * 2 * scale),
  );
}

/** `take` is asked for the tensors in the order of the file. */
function fillWeights(shape: LlamaShape, take: (size: number) => Float32Array): LlamaWeights {
  const { dims, hidden, layers, heads, keyValueHeads, vocabulary } = shape;
  const kvDims = (dims / heads) * keyValueHeads;
  const each = (size: number): Float32Array[] => Array.from({ length: layers }, () => take(size));
  const embedding = take(vocabulary * dims);
  const columns = {
    attentionNorm: each(dims),
    q: each(dims * dims),
    k: each(kvDims * dims),
    v: each(kvDims * dims),
    o: each(dims * dims),
    mlpNorm: each(dims),
    gate: each(hidden * dims),
    down: each(hidden * dims),
    up: each(hidden * dims),
  };
  const layer = (i: number): LlamaLayer =>
    Object.fromEntries(
      Object.entries(columns).map(([name, list]) => [name, list[i]]),
    ) as unknown as LlamaLayer;
  return { shape, embedding, layers: Array.from({ length: layers }, (_, i) => layer(i)), norm: take(dims) };
}

/** [out, in] → [in, out]. */
export function transpose(matrix: Float32Array, out: number): Float32Array {
  const inner = matrix.length / out;
  const result = new Float32Array(matrix.length);
  for (let row = 0; row < out; row++) {
    for (let column = 0; column < inner; column++)
      result[column * out + row] = matrix[row * inner + column] ?? 0;
  }
  return result;
}
