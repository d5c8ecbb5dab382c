/**
 * Writes a Llama's weights as llama.cpp reads them: GGUF version 3, float32. The vocabulary is made up: llama.cpp
 * loads no model without one.
 */
import { open } from 'node:fs/promises';
import type { LlamaWeights } from '../../test/fixtures/onnx/llama2c.ts';
import { EPSILON } from '../../test/fixtures/onnx/llama-build.ts';

const VERSION = 3;
const ALIGNMENT = 32;
const TYPE = { uint32: 4, int32: 5, float32: 6, string: 8, array: 9 };
/** Both the type of a tensor and that of the file. */
const F32 = 0;

interface GgufTensor {
  name: string;
  /** The innermost first. */
  dims: readonly number[];
  values: Float32Array;
}

export async function writeGguf(path: string, weights: LlamaWeights): Promise<void> {
  const tensors = tensorsOf(weights);
  const values = keysOf(weights);
  let offset = 0;
  const infos = tensors.map(({ name, dims, values: data }) => {
    const info = [text(name), uint32(dims.length), ...dims.map(uint64), uint32(F32), uint64(offset)];
    offset += aligned(data.byteLength);
    return Buffer.concat(info);
  });
  const counts = [uint32(VERSION), uint64(tensors.length), uint64(values.length)];
  const head = Buffer.concat([Buffer.from('GGUF'), ...counts, ...values, ...infos]);
  const file = await open(path, 'w');
  try {
    await file.write(padded(head));
    for (const { values: data } of tensors)
      await file.write(padded(Buffer.from(data.buffer, data.byteOffset, data.byteLength)));
  } finally {
    await file.close();
  }
}

function keysOf({ shape }: LlamaWeights): Buffer[] {
  const { dims, hidden, layers, heads, keyValueHeads, vocabulary, context } = shape;
  const numbers = {
    context_length: context,
    embedding_length: dims,
    block_count: layers,
    feed_forward_length: hidden,
    vocab_size: vocabulary,
    'rope.dimension_count': dims / heads,
    'attention.head_count': heads,
    'attention.head_count_kv': keyValueHeads,
  };
  const epsilon = Buffer.alloc(4);
  epsilon.writeFloatLE(EPSILON);
  const key = (name: string, type: number, value: Buffer): Buffer =>
    Buffer.concat([text(name), uint32(type), value]);
  return [
    key('general.architecture', TYPE.string, text('llama')),
    key('general.file_type', TYPE.uint32, uint32(F32)),
    ...Object.entries(numbers).map(([name, value]) => key(`llama.${name}`, TYPE.uint32, uint32(value))),
    key('llama.attention.layer_norm_rms_epsilon', TYPE.float32, epsilon),
    key('tokenizer.ggml.model', TYPE.string, text('llama')),
    key('tokenizer.ggml.tokens', TYPE.array, array(TYPE.string, tokensOf(vocabulary).map(text))),
    key(
      'tokenizer.ggml.scores',
      TYPE.array,
      array(
        TYPE.float32,
        tokensOf(vocabulary).map(() => Buffer.alloc(4)),
      ),
    ),
    key('tokenizer.ggml.token_type', TYPE.array, array(TYPE.int32, tokensOf(vocabulary).map(kindOf))),
  ];
}

const CONTROLS = ['<unk>', '<s>', '</s>'];
const BYTES = 256;
const KIND = { normal: 1, unknown: 2, control: 3, byte: 6 };

function tokensOf(vocabulary: number): string[] {
  const byte = (value: number): string => `<0x${value.toString(16).toUpperCase().padStart(2, '0')}>`;
  const bytes = Array.from({ length: BYTES }, (_, value) => byte(value));
  const others = Array.from({ length: vocabulary - CONTROLS.length - BYTES }, (_, i) => `w${i}`);
  return [...CONTROLS, ...bytes, ...others];
}

function kindOf(_: string, id: number): Buffer {
  if (id === 0) return uint32(KIND.unknown);
  if (id < CONTROLS.length) return uint32(KIND.control);
  return uint32(id < CONTROLS.length + BYTES ? KIND.byte : KIND.normal);
}

function array(type: number, values: readonly Buffer[]): Buffer {
  return Buffer.concat([uint32(type), uint64(values.length), ...values]);
}

function tensorsOf({ shape, embedding, layers, norm }: LlamaWeights): GgufTensor[] {
  const { dims, hidden, heads, keyValueHeads, vocabulary } = shape;
  const kv = (dims / heads) * keyValueHeads;
  const one = (name: string, sizes: readonly number[], values: Float32Array): GgufTensor => ({
    name: `${name}.weight`,
    dims: sizes,
    values,
  });
  return [
    one('token_embd', [dims, vocabulary], embedding),
    one('output_norm', [dims], norm),
    ...layers.flatMap((layer, i) => [
      one(`blk.${i}.attn_norm`, [dims], layer.attentionNorm),
      one(`blk.${i}.attn_q`, [dims, dims], layer.q),
      one(`blk.${i}.attn_k`, [dims, kv], layer.k),
      one(`blk.${i}.attn_v`, [dims, kv], layer.v),
      one(`blk.${i}.attn_output`, [dims, dims], layer.o),
      one(`blk.${i}.ffn_norm`, [dims], layer.mlpNorm),
      one(`blk.${i}.ffn_gate`, [dims, hidden], layer.gate),
      one(`blk.${i}.ffn_up`, [dims, hidden], layer.up),
      one(`blk.${i}.ffn_down`, [hidden, dims], layer.down),
    ]),
  ];
}

const aligned = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

const padded = (data: Buffer): Buffer =>
  Buffer.concat([data, Buffer.alloc(aligned(data.length) - data.length)]);

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}
