/** What the styles of an exported Llama share: the graph being built, matrix products, projections and the feed-forward part. */
import { type LlamaWeights, transpose } from './llama2c.ts';
import { quantize4 } from './quantize.ts';
import {
  BFloat16Array,
  type External,
  FLOAT,
  type FunctionSpec,
  node,
  type NodeSpec,
  tensor,
} from './write-onnx.ts';

export interface LlamaStyle {
  style: 'torch' | 'genai' | 'merged' | 'dynamo';
  /** Operators, layers or pairs of layers as functions that the file brings along (dynamo). */
  functions?: 'operators' | 'layers' | 'pairs';
  /** What a branch gives is normed before it is added, as in Gemma 2. */
  postNorm?: boolean;
  /** Queries, keys and values of one product, rotated by tables that an If chooses (genai). */
  packed?: boolean;
  /** Fused blocks inside the branches of a merged graph. */
  fused?: boolean;
  /** int4 weights in blocks of 32 (`MatMulNBits`). */
  int4?: boolean;
  /** Weights, cache and logits in float16. */
  half?: boolean;
  /** Weights in bfloat16, each with a Cast to float32 behind it. */
  brain?: boolean;
  /** Matrices go to this file; the bytes come back as `data`. */
  external?: string;
}

export interface BuiltLlama {
  onnx: Uint8Array;
  /** Content of the external file, empty without one. */
  data: Uint8Array[];
}

export const MS = 'com.microsoft';

export const EPSILON = 1e-5;

export interface Build {
  weights: LlamaWeights;
  style: LlamaStyle;
  nodes: Uint8Array[];
  tensors: Uint8Array[];
  functions: FunctionSpec[];
  data: Uint8Array[];
  dataBytes: number;
  add(op: string, inputs: string[], output: string): string;
  /** A node with attributes. */
  put(spec: NodeSpec): string;
}

export function start(weights: LlamaWeights, style: LlamaStyle): Build {
  const nodes: Uint8Array[] = [];
  const put: Build['put'] = (spec) => {
    nodes.push(node(spec));
    return spec.outputs[0] ?? '';
  };
  const add: Build['add'] = (op, inputs, output) => put({ op, inputs, outputs: [output] });
  return { weights, style, nodes, tensors: [], functions: [], data: [], dataBytes: 0, add, put };
}

interface Product {
  name: string;
  output: string;
  /** [out, in] */
  matrix: Float32Array;
  out: number;
}

export function addMatMul(build: Build, input: string, { name, output, matrix, out }: Product): string {
  const inner = matrix.length / out;
  if (build.style.int4 && inner % 32 === 0) {
    const { packed, scales } = quantize4(matrix, out);
    const blocks = inner / 32;
    build.tensors.push(
      tensor(`${name}.q4`, [out, blocks, 16], packed),
      tensor(`${name}.scales`, [out * blocks], scales),
    );
    const attributes = { K: inner, N: out, bits: 4, block_size: 32 };
    return build.put({
      op: 'MatMulNBits',
      inputs: [input, `${name}.q4`, `${name}.scales`],
      outputs: [output],
      attributes,
      domain: MS,
    });
  }
  const flipped = transpose(matrix, out);
  if (build.style.external === undefined)
    addReal(build, `${name}.weight`, { dims: [inner, out], values: flipped });
  else
    build.tensors.push(tensor(`${name}.weight`, [inner, out], store(build, build.style.external, flipped)));
  return build.add('MatMul', [input, `${name}.weight`], output);
}

function store(build: Build, file: string, values: Float32Array): { external: External; bytes: number } {
  const external = { file, offset: build.dataBytes };
  build.data.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  build.dataBytes += values.byteLength;
  return { external, bytes: values.byteLength };
}

export function addProjections(build: Build, input: string, i: number): [q: string, k: string, v: string] {
  const { weights } = build;
  const layer = weights.layers[i];
  if (!layer) throw new Error(`no layer ${i}`);
  const { dims, heads, keyValueHeads } = weights.shape;
  const kv = (dims / heads) * keyValueHeads;
  const make = (part: 'q' | 'k' | 'v', out: number): string => {
    const name = `model.layers.${i}.self_attn.${part}_proj`;
    return addMatMul(build, input, { name, output: `/${name}/MatMul_output_0`, matrix: layer[part], out });
  };
  return [make('q', dims), make('k', kv), make('v', kv)];
}

export function addOutput(build: Build, input: string, i: number): string {
  const name = `model.layers.${i}.self_attn.o_proj`;
  const matrix = build.weights.layers[i]?.o ?? new Float32Array();
  return addMatMul(build, input, {
    name,
    output: `/${name}/MatMul_output_0`,
    matrix,
    out: build.weights.shape.dims,
  });
}

export function addMlp(build: Build, input: string, i: number): string {
  const { add, weights } = build;
  const { dims, hidden } = weights.shape;
  const layer = weights.layers[i];
  const at = (part: string): string => `/model/layers.${i}/mlp/${part}_output_0`;
  const project = (part: 'gate' | 'up' | 'down', from: string, out: number): string =>
    addMatMul(build, from, {
      name: `model.layers.${i}.mlp.${part}_proj`,
      output: at(part),
      matrix: layer?.[part] ?? new Float32Array(),
      out,
    });
  const gate = project('gate', input, hidden);
  add('Sigmoid', [gate], at('Sigmoid'));
  add('Mul', [gate, at('Sigmoid')], at('Mul'));
  add('Mul', [at('Mul'), project('up', input, hidden)], at('Mul_1'));
  return project('down', at('Mul_1'), dims);
}

/** A weight in the style's precision. */
export function addReal(
  build: Build,
  name: string,
  { dims, values }: { dims: number[]; values: Float32Array },
): void {
  if (build.style.brain) {
    build.tensors.push(tensor(`${name}.stored`, dims, toBrain(values)));
    build.put({ op: 'Cast', inputs: [`${name}.stored`], outputs: [name], attributes: { to: FLOAT } });
  } else build.tensors.push(tensor(name, dims, build.style.half ? toHalf(values) : values));
}

/** bfloat16, rounded towards zero. */
function toBrain(values: Float32Array): Uint16Array {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  return BFloat16Array.from(bits, (word) => word >>> 16);
}

/** IEEE 754 binary16, rounded to nearest; what is too small becomes 0, what is too large the largest. */
function toHalf(values: Float32Array): Uint16Array {
  return Uint16Array.from(values, (value) => {
    const size = Math.min(65504, Math.abs(value));
    const sign = value < 0 ? 0x8000 : 0;
    if (size < 2 ** -14) return sign | Math.round(size * 2 ** 24);
    const exponent = Math.floor(Math.log2(size));
    return sign + ((exponent + 15) << 10) + Math.round((size / 2 ** exponent - 1) * 1024);
  });
}
