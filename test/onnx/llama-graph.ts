/**
 * Builds the same Llama as different exporters would write it: `torch` spells everything out and grows its cache by Concat;
 * `genai` fuses norms and attention; `merged` keeps both cases inside the branches of an `If`.
 */
import { type LlamaWeights, transpose } from './llama2c.ts';
import { quantize4 } from './quantize.ts';
import {
  BOOL,
  type External,
  FLOAT,
  graph,
  INT64,
  model,
  node,
  type NodeSpec,
  tensor,
  valueInfo,
} from './write-onnx.ts';

export interface LlamaStyle {
  style: 'torch' | 'genai' | 'merged';
  /** int4 weights in blocks of 32 (`MatMulNBits`). */
  int4?: boolean;
  /** Matrices go to this file; the bytes come back as `data`. */
  external?: string;
}

export interface BuiltLlama {
  onnx: Uint8Array;
  /** Content of the external file, empty without one. */
  data: Uint8Array[];
}

const MS = 'com.microsoft';
const EPSILON = 1e-5;

interface Build {
  weights: LlamaWeights;
  style: LlamaStyle;
  nodes: Uint8Array[];
  tensors: Uint8Array[];
  data: Uint8Array[];
  dataBytes: number;
  add(op: string, inputs: string[], output: string, more?: Partial<NodeSpec>): string;
}

export function buildLlama(weights: LlamaWeights, style: LlamaStyle): BuiltLlama {
  const build = start(weights, style);
  addConstants(build);
  const fused = style.style === 'genai';
  const last = fused ? addFusedBlocks(build) : addPlainBlocks(build);
  addMatMul(build, last, {
    name: 'lm_head',
    output: 'logits',
    matrix: weights.embedding,
    out: weights.shape.vocabulary,
  });
  const io = inputsAndOutputs(weights);
  const producer = { torch: 'pytorch', genai: 'onnxruntime-genai', merged: 'optimum-onnx' }[style.style];
  const plain = { nodes: build.nodes, weights: build.tensors, inputs: io.inputs, outputs: io.outputs };
  const spec = style.style === 'merged' ? merge(plain, io) : plain;
  return { onnx: model(spec, producer), data: build.data };
}

function start(weights: LlamaWeights, style: LlamaStyle): Build {
  const nodes: Uint8Array[] = [];
  const add: Build['add'] = (op, inputs, output, more = {}) => {
    nodes.push(node({ op, inputs, outputs: [output], ...more }));
    return output;
  };
  return { weights, style, nodes, tensors: [], data: [], dataBytes: 0, add };
}

function addConstants(build: Build): void {
  const { shape, embedding } = build.weights;
  const half = shape.dims / shape.heads / 2;
  const table = (f: (x: number) => number): Float32Array =>
    Float32Array.from({ length: shape.context * half }, (_, i) =>
      f(Math.floor(i / half) * 10000 ** (-(i % half) / half)),
    );
  build.tensors.push(
    tensor('embed_tokens.weight', [shape.vocabulary, shape.dims], embedding),
    tensor('cos_cache', [shape.context, half], table(Math.cos)),
    tensor('sin_cache', [shape.context, half], table(Math.sin)),
    tensor('one', [], BigInt64Array.of(1n)),
    tensor('zero', [], BigInt64Array.of(0n)),
    tensor('one_list', [1], BigInt64Array.of(1n)),
    tensor('axes_2', [1], BigInt64Array.of(2n)),
    tensor('axes_1_3', [2], BigInt64Array.of(1n, 3n)),
    tensor('axes_0_1_2', [3], BigInt64Array.of(0n, 1n, 2n)),
    tensor('two', [], Float32Array.of(2)),
    tensor('epsilon', [], Float32Array.of(EPSILON)),
    tensor('scale', [], Float32Array.of(1 / Math.sqrt(half * 2))),
    tensor('zero_float', [], Float32Array.of(0)),
    tensor('far_below', [], Float32Array.of(-1e30)),
    tensor('heads_shape', [4], BigInt64Array.of(0n, 0n, BigInt(shape.heads), BigInt(half * 2))),
    tensor('kv_shape', [4], BigInt64Array.of(0n, 0n, BigInt(shape.keyValueHeads), BigInt(half * 2))),
    tensor('repeat_shape', [5], repeatShape(shape.heads / shape.keyValueHeads)),
    tensor('grouped_shape', [4], BigInt64Array.of(0n, BigInt(shape.heads), -1n, BigInt(half * 2))),
    tensor('flat_shape', [3], BigInt64Array.of(0n, 0n, -1n)),
  );
}

function repeatShape(times: number): BigInt64Array {
  return BigInt64Array.of(1n, 1n, BigInt(times), 1n, 1n);
}

interface Product {
  name: string;
  output: string;
  /** [out, in] */
  matrix: Float32Array;
  out: number;
}

function addMatMul(build: Build, input: string, { name, output, matrix, out }: Product): string {
  const inner = matrix.length / out;
  if (build.style.int4 && inner % 32 === 0) {
    const { packed, scales } = quantize4(matrix, out);
    const blocks = inner / 32;
    build.tensors.push(
      tensor(`${name}.q4`, [out, blocks, 16], packed),
      tensor(`${name}.scales`, [out * blocks], scales),
    );
    const attributes = { K: inner, N: out, bits: 4, block_size: 32 };
    return build.add('MatMulNBits', [input, `${name}.q4`, `${name}.scales`], output, {
      attributes,
      domain: MS,
    });
  }
  const flipped = transpose(matrix, out);
  build.tensors.push(tensor(`${name}.weight`, [inner, out], store(build, flipped)));
  return build.add('MatMul', [input, `${name}.weight`], output);
}

function store(build: Build, values: Float32Array): Float32Array | { external: External; bytes: number } {
  const file = build.style.external;
  if (file === undefined) return values;
  const external = { file, offset: build.dataBytes };
  build.data.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  build.dataBytes += values.byteLength;
  return { external, bytes: values.byteLength };
}

/** x·w / √(mean(x²) + ε), spelled out as torch.onnx does. */
function addNorm(build: Build, input: string, weight: { name: string; values: Float32Array }): string {
  const { add } = build;
  const at = (part: string): string => `/${weight.name}/${part}_output_0`;
  build.tensors.push(tensor(`${weight.name}.weight`, [weight.values.length], weight.values));
  add('Pow', [input, 'two'], at('Pow'));
  add('ReduceMean', [at('Pow')], at('ReduceMean'), { attributes: { axes: [-1] } });
  add('Add', [at('ReduceMean'), 'epsilon'], at('Add'));
  add('Sqrt', [at('Add')], at('Sqrt'));
  add('Div', [input, at('Sqrt')], at('Div'));
  return add('Mul', [`${weight.name}.weight`, at('Div')], at('Mul'));
}

function addPlainBlocks(build: Build): string {
  const { add, weights } = build;
  const { shape } = weights;
  add('Shape', ['attention_mask'], 'mask_shape');
  add('Gather', ['mask_shape', 'one'], 'total');
  add('Range', ['zero', 'total', 'one'], 'keys');
  add('Unsqueeze', ['keys', 'axes_0_1_2'], 'keys_4d');
  add('Unsqueeze', ['position_ids', 'axes_1_3'], 'queries_4d');
  add('LessOrEqual', ['keys_4d', 'queries_4d'], 'visible');
  add('Where', ['visible', 'zero_float', 'far_below'], 'causal');
  let x = add('Gather', ['embed_tokens.weight', 'input_ids'], '/model/embed_tokens/Gather_output_0');
  for (const [i, layer] of weights.layers.entries()) {
    const name = `model.layers.${i}`;
    const normed = addNorm(build, x, { name: `${name}.input_layernorm`, values: layer.attentionNorm });
    const attended = addPlainAttention(build, normed, i);
    const middle = add('Add', [x, attended], `/model/layers.${i}/Add_output_0`);
    const again = addNorm(build, middle, { name: `${name}.post_attention_layernorm`, values: layer.mlpNorm });
    x = add('Add', [middle, addMlp(build, again, i)], `/model/layers.${i}/Add_1_output_0`);
  }
  void shape;
  return addNorm(build, x, { name: 'model.norm', values: weights.norm });
}

function addProjections(build: Build, input: string, i: number): [q: string, k: string, v: string] {
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

function addOutput(build: Build, input: string, i: number): string {
  const name = `model.layers.${i}.self_attn.o_proj`;
  const matrix = build.weights.layers[i]?.o ?? new Float32Array();
  return addMatMul(build, input, {
    name,
    output: `/${name}/MatMul_output_0`,
    matrix,
    out: build.weights.shape.dims,
  });
}

function addPlainAttention(build: Build, input: string, i: number): string {
  const { add } = build;
  const at = (part: string): string => `/model/layers.${i}/self_attn/${part}_output_0`;
  const [q, k, v] = addProjections(build, input, i);
  const split = (from: string, part: string, shape: string): string => {
    add('Reshape', [from, shape], at(`${part}_reshape`));
    return add('Transpose', [at(`${part}_reshape`)], at(`${part}_heads`), {
      attributes: { perm: [0, 2, 1, 3] },
    });
  };
  const rotate = (from: string, part: string): string =>
    add('RotaryEmbedding', [from, 'position_ids', 'cos_cache', 'sin_cache'], at(`${part}_rotary`), {
      domain: MS,
      attributes: { interleaved: 1 },
    });
  const past = `past_key_values.${i}`;
  const query = rotate(split(q, 'q', 'heads_shape'), 'q');
  const newKey = rotate(split(k, 'k', 'kv_shape'), 'k');
  const key = add('Concat', [`${past}.key`, newKey], `present.${i}.key`, { attributes: { axis: 2 } });
  const newValue = split(v, 'v', 'kv_shape');
  const value = add('Concat', [`${past}.value`, newValue], `present.${i}.value`, { attributes: { axis: 2 } });
  const turned = add('Transpose', [repeat(build, key, at('key'))], at('kT'), {
    attributes: { perm: [0, 1, 3, 2] },
  });
  add('MatMul', [query, turned], at('scores'));
  add('Mul', [at('scores'), 'scale'], at('scaled'));
  add('Add', [at('scaled'), 'causal'], at('masked'));
  add('Softmax', [at('masked')], at('softmax'), { attributes: { axis: -1 } });
  add('MatMul', [at('softmax'), repeat(build, value, at('value'))], at('mixed'));
  add('Transpose', [at('mixed')], at('joined'), { attributes: { perm: [0, 2, 1, 3] } });
  return addOutput(build, add('Reshape', [at('joined'), 'flat_shape'], at('flat')), i);
}

/** [b, kv, t, d] → [b, heads, t, d], each key/value head serving its group. */
function repeat(build: Build, input: string, name: string): string {
  build.add('Unsqueeze', [input, 'axes_2'], `${name}_unsqueezed`);
  build.add('Tile', [`${name}_unsqueezed`, 'repeat_shape'], `${name}_tiled`);
  return build.add('Reshape', [`${name}_tiled`, 'grouped_shape'], `${name}_repeated`);
}

function addMlp(build: Build, input: string, i: number): string {
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

function addFusedBlocks(build: Build): string {
  const { add, weights } = build;
  add('ReduceSum', ['attention_mask', 'one_list'], 'mask_sum', { attributes: { keepdims: 0 } });
  add('Sub', ['mask_sum', 'one'], 'before_last');
  add('Cast', ['before_last'], 'seqlens_k', { attributes: { to: 6 } });
  add('Shape', ['attention_mask'], 'mask_shape');
  add('Gather', ['mask_shape', 'one'], 'total64');
  add('Cast', ['total64'], 'total', { attributes: { to: 6 } });
  let x = add('Gather', ['embed_tokens.weight', 'input_ids'], '/model/embed_tokens/Gather/output_0');
  let skip: string | undefined;
  for (const [i, layer] of weights.layers.entries()) {
    const block = `/model/layers.${i}`;
    const first = addSkipNorm(build, {
      x,
      skip,
      name: `${block}/input_layernorm`,
      values: layer.attentionNorm,
      sum: true,
    });
    const attended = addGroupQuery(build, first.normed, i);
    const name = `${block}/post_attention_layernorm`;
    const second = addSkipNorm(build, {
      x: first.sum,
      skip: attended,
      name,
      values: layer.mlpNorm,
      sum: true,
    });
    x = second.sum;
    skip = addMlp(build, second.normed, i);
  }
  const name = `/model/layers.${weights.shape.layers}/final_norm_layernorm`;
  return addSkipNorm(build, { x, skip, name, values: weights.norm, sum: false }).normed;
}

interface SkipNorm {
  x: string;
  skip: string | undefined;
  name: string;
  values: Float32Array;
  sum: boolean;
}

function addSkipNorm(
  build: Build,
  { x, skip, name, values, sum }: SkipNorm,
): { normed: string; sum: string } {
  build.tensors.push(tensor(`${name}.weight`, [values.length], values));
  const normed = `${name}/output_0`;
  const attributes = { epsilon: { float: EPSILON } };
  if (skip === undefined) {
    build.add('SimplifiedLayerNormalization', [x, `${name}.weight`], normed, {
      attributes: { ...attributes, axis: -1 },
    });
    return { normed, sum: x };
  }
  const outputs = sum ? [normed, '', '', `${name}/output_3`] : [normed];
  const op = 'SkipSimplifiedLayerNormalization';
  build.nodes.push(node({ op, inputs: [x, skip, `${name}.weight`], outputs, attributes, domain: MS }));
  return { normed, sum: outputs[3] ?? '' };
}

function addGroupQuery(build: Build, input: string, i: number): string {
  const { heads, keyValueHeads } = build.weights.shape;
  const [q, k, v] = addProjections(build, input, i);
  const past = `past_key_values.${i}`;
  const output = `/model/layers.${i}/attn/GroupQueryAttention/output_0`;
  build.nodes.push(
    node({
      op: 'GroupQueryAttention',
      inputs: [q, k, v, `${past}.key`, `${past}.value`, 'seqlens_k', 'total', 'cos_cache', 'sin_cache'],
      outputs: [output, `present.${i}.key`, `present.${i}.value`],
      attributes: { num_heads: heads, kv_num_heads: keyValueHeads, do_rotary: 1, rotary_interleaved: 1 },
      domain: MS,
    }),
  );
  return addOutput(build, output, i);
}

interface Io {
  inputs: Uint8Array[];
  outputs: Uint8Array[];
}

function inputsAndOutputs({ shape }: LlamaWeights): Io {
  const { keyValueHeads, dims, heads } = shape;
  const cache = (name: string, tokens: string): Uint8Array =>
    valueInfo(name, FLOAT, ['batch', keyValueHeads, tokens, dims / heads]);
  const layers = Array.from({ length: shape.layers }, (_, i) => i);
  const both = (prefix: string, tokens: string): Uint8Array[] =>
    layers.flatMap((i) => ['key', 'value'].map((part) => cache(`${prefix}.${i}.${part}`, tokens)));
  return {
    inputs: [
      valueInfo('input_ids', INT64, ['batch', 'sequence']),
      valueInfo('attention_mask', INT64, ['batch', 'total']),
      valueInfo('position_ids', INT64, ['batch', 'sequence']),
      ...both('past_key_values', 'past'),
    ],
    outputs: [
      valueInfo('logits', FLOAT, ['batch', 'sequence', shape.vocabulary]),
      ...both('present', 'total'),
    ],
  };
}

interface Parts {
  nodes: Uint8Array[];
  weights: Uint8Array[];
  inputs: Uint8Array[];
  outputs: Uint8Array[];
}

/** Both branches hold the whole decoder (an empty past is as good as none); the weights stand outside and are shared. */
function merge(parts: Parts, io: Io): Parts {
  const names = io.outputs.map((bytes) => new TextDecoder().decode(bytes.subarray(2, 2 + (bytes[1] ?? 0))));
  const branch = graph({ nodes: parts.nodes, weights: [], inputs: [], outputs: io.outputs });
  const choice = node({
    op: 'If',
    inputs: ['use_cache_branch'],
    outputs: names,
    attributes: { then_branch: { graph: branch }, else_branch: { graph: branch } },
    name: 'optimum::if',
  });
  const inputs = [...io.inputs, valueInfo('use_cache_branch', BOOL, [1])];
  return { nodes: [choice], weights: parts.weights, inputs, outputs: io.outputs };
}
