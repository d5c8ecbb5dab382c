/** Blocks as the onnxruntime-genai builder writes them: norms fused with additions, GroupQueryAttention. */
import { addReal, addMlp, addOutput, addProjections, type Build, EPSILON, MS } from './llama-build.ts';
import { node } from './write-onnx.ts';

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
