/** Blocks as the onnxruntime-genai builder writes them: norms fused with additions, GroupQueryAttention. */
import {
  addMatMul,
  addReal,
  addMlp,
  addOutput,
  addProjections,
  type Build,
  EPSILON,
  MS,
} from './llama-build.ts';
import { FLOAT, graph, node, valueInfo } from './write-onnx.ts';

export function addFusedBlocks(build: Build): string {
  const { add, put, weights } = build;
  put({
    op: 'ReduceSum',
    inputs: ['attention_mask', 'one_list'],
    outputs: ['mask_sum'],
    attributes: { keepdims: 0 },
  });
  add('Sub', ['mask_sum', 'one'], 'before_last');
  put({ op: 'Cast', inputs: ['before_last'], outputs: ['seqlens_k'], attributes: { to: 6 } });
  add('Shape', ['attention_mask'], 'mask_shape');
  add('Gather', ['mask_shape', 'one'], 'total64');
  put({ op: 'Cast', inputs: ['total64'], outputs: ['total'], attributes: { to: 6 } });
  if (build.style.packed) addChosenTables(build);
  const leave = (output: string, name: string, values: Float32Array): string =>
    build.style.postNorm
      ? addSkipNorm(build, { x: output, skip: undefined, name, values, sum: false }).normed
      : output;
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
    const attended = leave(
      addGroupQuery(build, first.normed, i),
      `${block}/after_attention`,
      layer.attentionNorm,
    );
    const name = `${block}/post_attention_layernorm`;
    const second = addSkipNorm(build, {
      x: first.sum,
      skip: attended,
      name,
      values: layer.mlpNorm,
      sum: true,
    });
    x = second.sum;
    skip = leave(addMlp(build, second.normed, i), `${block}/after_mlp`, layer.mlpNorm);
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
  addReal(build, `${name}.weight`, { dims: [values.length], values });
  const normed = `${name}/output_0`;
  const attributes = { epsilon: { float: EPSILON } };
  if (skip === undefined) {
    build.put({
      op: 'SimplifiedLayerNormalization',
      inputs: [x, `${name}.weight`],
      outputs: [normed],
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
  const { packed } = build.style;
  const projected = packed ? [addPackedProjection(build, input, i), '', ''] : addProjections(build, input, i);
  const tables = packed ? ['cos_cache_chosen', 'sin_cache_chosen'] : ['cos_cache', 'sin_cache'];
  const past = `past_key_values.${i}`;
  const output = `/model/layers.${i}/attn/GroupQueryAttention/output_0`;
  build.nodes.push(
    node({
      op: 'GroupQueryAttention',
      inputs: [...projected, `${past}.key`, `${past}.value`, 'seqlens_k', 'total', ...tables],
      outputs: [output, `present.${i}.key`, `present.${i}.value`],
      attributes: { num_heads: heads, kv_num_heads: keyValueHeads, do_rotary: 1, rotary_interleaved: 1 },
      domain: MS,
    }),
  );
  return addOutput(build, output, i);
}

/** One product gives queries, keys and values side by side. */
function addPackedProjection(build: Build, input: string, i: number): string {
  const { q, k, v } = build.weights.layers[i] ?? {};
  const matrix = Float32Array.from([...(q ?? []), ...(k ?? []), ...(v ?? [])]);
  const out = matrix.length / build.weights.shape.dims;
  const name = `model.layers.${i}.attn.qkv_proj`;
  return addMatMul(build, input, { name, output: `/${name}/MatMul/output_0`, matrix, out });
}

/** As for models whose rotary tables depend on how long the prompt is; here both cases have the same. */
function addChosenTables(build: Build): void {
  const names = ['cos_cache', 'sin_cache'];
  const branch = (kind: string): Uint8Array =>
    graph({
      nodes: names.map((name) => node({ op: 'Identity', inputs: [name], outputs: [`${name}_${kind}`] })),
      weights: [],
      inputs: [],
      outputs: names.map((name) => valueInfo(`${name}_${kind}`, FLOAT, ['length', 'half'])),
    });
  build.add('Greater', ['total64', 'one'], 'is_long');
  build.put({
    op: 'If',
    inputs: ['is_long'],
    outputs: names.map((name) => `${name}_chosen`),
    attributes: { then_branch: { graph: branch('large') }, else_branch: { graph: branch('small') } },
    name: '/model/rotemb_caches_subgraph/If',
  });
}
