/**
 * Builds the same Llama as different exporters would write it: `torch` spells everything out and grows its cache by Concat;
 * `genai` fuses norms and attention; `merged` keeps both cases inside the branches of an `If`; `dynamo` uses ONNX's newer
 * operators and may bring functions along.
 */
import { addDynamoBlocks } from './dynamo-blocks.ts';
import { addFusedBlocks } from './fused-blocks.ts';
import {
  addMatMul,
  addReal,
  type Build,
  type BuiltLlama,
  EPSILON,
  type LlamaStyle,
  start,
} from './llama-build.ts';
import type { LlamaWeights } from './llama2c.ts';
import { addPlainBlocks } from './plain-blocks.ts';
import { BOOL, FLOAT, FLOAT16, graph, INT64, model, node, tensor, valueInfo } from './write-onnx.ts';

export type { BuiltLlama, LlamaStyle } from './llama-build.ts';

export function buildLlama(weights: LlamaWeights, style: LlamaStyle): BuiltLlama {
  const build = start(weights, style);
  addConstants(build);
  const last = addBlocks(build);
  addMatMul(build, last, {
    name: 'lm_head',
    output: 'logits',
    matrix: weights.embedding,
    out: weights.shape.vocabulary,
  });
  const io = inputsAndOutputs(weights, style.half ? FLOAT16 : FLOAT);
  const producers = {
    torch: 'pytorch',
    dynamo: 'pytorch',
    genai: 'onnxruntime-genai',
    merged: 'optimum-onnx',
  };
  const plain = { nodes: build.nodes, weights: build.tensors, inputs: io.inputs, outputs: io.outputs };
  const spec = style.style === 'merged' ? merge(plain, io) : plain;
  const opset = style.style === 'dynamo' ? 23 : 17;
  const about = { producer: producers[style.style], opset, functions: build.functions };
  return { onnx: model(spec, about), data: build.data };
}

function addBlocks(build: Build): string {
  const { style, fused } = build.style;
  if (style === 'dynamo') return addDynamoBlocks(build);
  return (fused ?? style === 'genai') ? addFusedBlocks(build) : addPlainBlocks(build);
}

function addConstants(build: Build): void {
  const { shape, embedding } = build.weights;
  const half = shape.dims / shape.heads / 2;
  const table = (f: (x: number) => number): Float32Array =>
    Float32Array.from({ length: shape.context * half }, (_, i) =>
      f(Math.floor(i / half) * 10000 ** (-(i % half) / half)),
    );
  const real = (name: string, dims: number[], values: Float32Array): void =>
    addReal(build, name, { dims, values });
  real('embed_tokens.weight', [shape.vocabulary, shape.dims], embedding);
  real('cos_cache', [shape.context, half], table(Math.cos));
  real('sin_cache', [shape.context, half], table(Math.sin));
  real('two', [], Float32Array.of(2));
  real('epsilon', [], Float32Array.of(EPSILON));
  real('scale', [], Float32Array.of(1 / Math.sqrt(half * 2)));
  real('zero_float', [], Float32Array.of(0));
  real('far_below', [], Float32Array.of(-6e4));
  build.tensors.push(
    tensor('one', [], BigInt64Array.of(1n)),
    tensor('zero', [], BigInt64Array.of(0n)),
    tensor('one_list', [1], BigInt64Array.of(1n)),
    tensor('axes_2', [1], BigInt64Array.of(2n)),
    tensor('axes_1_3', [2], BigInt64Array.of(1n, 3n)),
    tensor('axes_0_1_2', [3], BigInt64Array.of(0n, 1n, 2n)),
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

interface Io {
  inputs: Uint8Array[];
  outputs: Uint8Array[];
}

function inputsAndOutputs({ shape }: LlamaWeights, real: number): Io {
  const { keyValueHeads, dims, heads } = shape;
  const cache = (name: string, tokens: string): Uint8Array =>
    valueInfo(name, real, ['batch', keyValueHeads, tokens, dims / heads]);
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
      valueInfo('logits', real, ['batch', 'sequence', shape.vocabulary]),
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
