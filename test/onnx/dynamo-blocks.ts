/**
 * Blocks as torch's dynamo exporter and its optimiser leave them in opset 23: fused norm, rotary embedding and attention of
 * ONNX itself, names that tell nothing (`add_3`, `val_7`), module paths in metadata, and functions if one asks for them.
 */
import { addMlp, addOutput, addProjections, addReal, type Build, EPSILON } from './llama-build.ts';
import { addMask } from './plain-blocks.ts';
import type { NodeSpec } from './write-onnx.ts';

const DOMAIN = 'pkg.transformers';

export function addDynamoBlocks(build: Build): string {
  addMask(build);
  const { weights, style } = build;
  let x = build.add('Gather', ['embed_tokens.weight', 'input_ids'], 'embedding');
  const size = { operators: 0, layers: 1, pairs: 2 }[style.functions ?? 'operators'];
  for (let i = 0; i < weights.layers.length; i += Math.max(1, size)) {
    const inner = recording(build);
    const end = Math.min(weights.layers.length, i + Math.max(1, size));
    for (let layer = i; layer < end; layer++) x = addBlock(inner.build, x, layer);
    if (size === 0) inner.nodes.forEach((spec) => build.put(spec));
    else callAs(build, { name: `LlamaDecoderLayer_${i}`, nodes: inner.nodes, result: x });
  }
  return addNorm(build, x, { name: 'model.norm', values: weights.norm });
}

/** A build whose nodes are kept aside. */
function recording(build: Build): { build: Build; nodes: NodeSpec[] } {
  const nodes: NodeSpec[] = [];
  const put: Build['put'] = (spec) => {
    nodes.push(spec);
    return spec.outputs[0] ?? '';
  };
  const add: Build['add'] = (op, inputs, output) => put({ op, inputs, outputs: [output] });
  return { build: { ...build, put, add }, nodes };
}

function addBlock(build: Build, x: string, i: number): string {
  const { weights } = build;
  const layer = weights.layers[i];
  const scopes = `['', 'model', 'model.layers.${i}']`;
  const norm = (input: string, part: string, values: Float32Array | undefined): string =>
    addNorm(build, input, { name: `model.layers.${i}.${part}`, values: values ?? new Float32Array() });
  const attended = addAttention(build, norm(x, 'input_layernorm', layer?.attentionNorm), i);
  const middle = addSum(build, { inputs: [x, attended], output: `add_${2 * i + 1}`, scopes });
  const mixed = addMlp(build, norm(middle, 'post_attention_layernorm', layer?.mlpNorm), i);
  return addSum(build, { inputs: [middle, mixed], output: `add_${2 * i + 2}`, scopes });
}

function addNorm(
  build: Build,
  input: string,
  { name, values }: { name: string; values: Float32Array },
): string {
  addReal(build, `${name}.weight`, { dims: [values.length], values });
  const attributes = { axis: -1, epsilon: { float: EPSILON } };
  const outputs = [`val_${name.replaceAll('.', '_')}`];
  return build.put({ op: 'RMSNormalization', inputs: [input, `${name}.weight`], outputs, attributes });
}

interface Sum {
  inputs: string[];
  output: string;
  scopes: string;
}

/** Without its inner functions inlined, an addition is a call, and what it returns an identity. */
function addSum(build: Build, { inputs, output, scopes }: Sum): string {
  const about = { inputs, outputs: [output], name: `node_${output}`, scopes };
  if (build.style.functions !== 'operators') return build.put({ op: 'Add', ...about });
  const domain = 'pkg.onnxscript.torch_lib';
  if (!build.functions.some(({ name }) => name === 'aten_add')) {
    const nodes: NodeSpec[] = [
      { op: 'Add', inputs: ['self', 'other'], outputs: ['sum'] },
      { op: 'Identity', inputs: ['sum'], outputs: ['return_val'] },
    ];
    const names = { inputs: ['self', 'other'], outputs: ['return_val'] };
    build.functions.push({ name: 'aten_add', domain, ...names, nodes });
  }
  return build.put({ op: 'aten_add', domain, ...about });
}

function addAttention(build: Build, input: string, i: number): string {
  const { heads, keyValueHeads } = build.weights.shape;
  const [q, k, v] = addProjections(build, input, i);
  const rotate = (from: string, count: number): string =>
    build.put({
      op: 'RotaryEmbedding',
      inputs: [from, 'cos_cache', 'sin_cache', 'position_ids'],
      outputs: [`${from}_rotated`],
      attributes: { num_heads: count, interleaved: 1 },
    });
  const past = `past_key_values.${i}`;
  const output = build.put({
    op: 'Attention',
    inputs: [rotate(q, heads), rotate(k, keyValueHeads), v, 'causal', `${past}.key`, `${past}.value`],
    outputs: [`scaled_dot_product_attention_${i}`, `present.${i}.key`, `present.${i}.value`],
    attributes: { q_num_heads: heads, kv_num_heads: keyValueHeads },
  });
  return addOutput(build, output, i);
}

interface Call {
  name: string;
  nodes: NodeSpec[];
  /** What leaves it, besides the cache. */
  result: string;
}

/** A function of the nodes, called once: it takes what they do not make themselves. */
function callAs(build: Build, { name, nodes, result }: Call): void {
  const made = new Set(nodes.flatMap(({ outputs }) => outputs));
  const inputs = [...new Set(nodes.flatMap((spec) => spec.inputs))].filter((used) => !made.has(used));
  const outputs = [result, ...[...made].filter((output) => output.startsWith('present.'))];
  const formal = (actual: string): string =>
    actual.startsWith('present.') ? actual.replaceAll('.', '_') : actual;
  const body = nodes.map((spec) => ({ ...spec, outputs: spec.outputs.map(formal) }));
  build.functions.push({ name, domain: DOMAIN, inputs, outputs: outputs.map(formal), nodes: body });
  build.put({ op: name, domain: DOMAIN, inputs, outputs, name: `node_${name}` });
}
