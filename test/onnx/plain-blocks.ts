/** Blocks as torch.onnx spells them out, with a cache that grows by Concat. */
import { addReal, addMlp, addOutput, addProjections, type Build, MS } from './llama-build.ts';

/** x·w / √(mean(x²) + ε), spelled out as torch.onnx does. */
function addNorm(build: Build, input: string, weight: { name: string; values: Float32Array }): string {
  const { add, put } = build;
  const at = (part: string): string => `/${weight.name}/${part}_output_0`;
  addReal(build, `${weight.name}.weight`, { dims: [weight.values.length], values: weight.values });
  add('Pow', [input, 'two'], at('Pow'));
  put({ op: 'ReduceMean', inputs: [at('Pow')], outputs: [at('ReduceMean')], attributes: { axes: [-1] } });
  add('Add', [at('ReduceMean'), 'epsilon'], at('Add'));
  add('Sqrt', [at('Add')], at('Sqrt'));
  add('Div', [input, at('Sqrt')], at('Div'));
  return add('Mul', [`${weight.name}.weight`, at('Div')], at('Mul'));
}

/** [batch, 1, queries, keys]: 0 where a query may look, far below elsewhere. */
export function addMask({ add }: Build): string {
  add('Shape', ['attention_mask'], 'mask_shape');
  add('Gather', ['mask_shape', 'one'], 'total');
  add('Range', ['zero', 'total', 'one'], 'keys');
  add('Unsqueeze', ['keys', 'axes_0_1_2'], 'keys_4d');
  add('Unsqueeze', ['position_ids', 'axes_1_3'], 'queries_4d');
  add('LessOrEqual', ['keys_4d', 'queries_4d'], 'visible');
  return add('Where', ['visible', 'zero_float', 'far_below'], 'causal');
}

export function addPlainBlocks(build: Build): string {
  const { add, weights } = build;
  addMask(build);
  /** What a branch gives, normed where the style says so. */
  const leave = (output: string, post: { name: string; values: Float32Array }): string =>
    build.style.postNorm ? addNorm(build, output, post) : output;
  let x = add('Gather', ['embed_tokens.weight', 'input_ids'], '/model/embed_tokens/Gather_output_0');
  for (const [i, layer] of weights.layers.entries()) {
    const name = `model.layers.${i}`;
    const normed = addNorm(build, x, { name: `${name}.input_layernorm`, values: layer.attentionNorm });
    const attended = leave(addPlainAttention(build, normed, i), {
      name: `${name}.after_attention`,
      values: layer.attentionNorm,
    });
    const middle = add('Add', [x, attended], `/model/layers.${i}/Add_output_0`);
    const again = addNorm(build, middle, { name: `${name}.post_attention_layernorm`, values: layer.mlpNorm });
    const mixed = leave(addMlp(build, again, i), { name: `${name}.after_mlp`, values: layer.mlpNorm });
    x = add('Add', [middle, mixed], `/model/layers.${i}/Add_1_output_0`);
  }
  return addNorm(build, x, { name: 'model.norm', values: weights.norm });
}

function addPlainAttention(build: Build, input: string, i: number): string {
  const { add, put } = build;
  const at = (part: string): string => `/model/layers.${i}/self_attn/${part}_output_0`;
  const [q, k, v] = addProjections(build, input, i);
  const split = (from: string, part: string, shape: string): string => {
    add('Reshape', [from, shape], at(`${part}_reshape`));
    return put({
      op: 'Transpose',
      inputs: [at(`${part}_reshape`)],
      outputs: [at(`${part}_heads`)],
      attributes: { perm: [0, 2, 1, 3] },
    });
  };
  const rotate = (from: string, part: string): string =>
    put({
      op: 'RotaryEmbedding',
      inputs: [from, 'position_ids', 'cos_cache', 'sin_cache'],
      outputs: [at(`${part}_rotary`)],
      domain: MS,
      attributes: { interleaved: 1 },
    });
  const past = `past_key_values.${i}`;
  const query = rotate(split(q, 'q', 'heads_shape'), 'q');
  const newKey = rotate(split(k, 'k', 'kv_shape'), 'k');
  const key = put({
    op: 'Concat',
    inputs: [`${past}.key`, newKey],
    outputs: [`present.${i}.key`],
    attributes: { axis: 2 },
  });
  const newValue = split(v, 'v', 'kv_shape');
  const value = put({
    op: 'Concat',
    inputs: [`${past}.value`, newValue],
    outputs: [`present.${i}.value`],
    attributes: { axis: 2 },
  });
  const turned = put({
    op: 'Transpose',
    inputs: [repeat(build, key, at('key'))],
    outputs: [at('kT')],
    attributes: { perm: [0, 1, 3, 2] },
  });
  add('MatMul', [query, turned], at('scores'));
  add('Mul', [at('scores'), 'scale'], at('scaled'));
  add('Add', [at('scaled'), 'causal'], at('masked'));
  put({ op: 'Softmax', inputs: [at('masked')], outputs: [at('softmax')], attributes: { axis: -1 } });
  add('MatMul', [at('softmax'), repeat(build, value, at('value'))], at('mixed'));
  put({
    op: 'Transpose',
    inputs: [at('mixed')],
    outputs: [at('joined')],
    attributes: { perm: [0, 2, 1, 3] },
  });
  return addOutput(build, add('Reshape', [at('joined'), 'flat_shape'], at('flat')), i);
}

/** [b, kv, t, d] → [b, heads, t, d], each key/value head serving its group. */
function repeat(build: Build, input: string, name: string): string {
  build.add('Unsqueeze', [input, 'axes_2'], `${name}_unsqueezed`);
  build.add('Tile', [`${name}_unsqueezed`, 'repeat_shape'], `${name}_tiled`);
  return build.add('Reshape', [`${name}_tiled`, 'grouped_shape'], `${name}_repeated`);
}
