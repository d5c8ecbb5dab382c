/** What a model folder holds, as far as its files tell, without running it. */
import { join } from 'node:path';
import { type ChatTemplate, loadChatTemplate } from './chat-template.ts';
import { exists, type ModelFolder, readModelFolder } from './model-folder.ts';
import type { OnnxModel, Weight } from './onnx-graph.ts';
import { tapGraph, type TappedGraph } from './tap-graph.ts';
import { loadTokenizer } from './tokenizer.ts';

export interface ModelReport {
  name: string;
  family: string;
  graph: string;
  exporter: string;
  opsets: Record<string, number>;
  layers: number;
  dims: number;
  heads: number;
  keyValueHeads: number;
  headDims: number;
  vocabulary: number;
  contextTokens: number;
  parameters: number;
  /** Number of weights by data type. */
  dataTypes: Record<string, number>;
  externalFiles: string[];
  inputs: string[];
  outputs: string[];
  /** Undefined without a tokenizer. */
  template: Pick<ChatTemplate, 'source' | 'takesSystem' | 'alternates'> | undefined;
  /** Tensor name by layer, 0..L. */
  taps: string[];
  /** The whole residual stream, additions inside blocks included. */
  chain: string[];
}

export async function inspectModel(path: string): Promise<ModelReport> {
  const folder = await readModelFolder(path);
  const tapped = await tapGraph(folder);
  const { config } = folder;
  const { graph, opsets } = tapped.model;
  const weights = [...graph.weights.values()];
  return {
    name: folder.name,
    family: config.family,
    graph: folder.graph,
    exporter: nameExporter(tapped.model),
    opsets: Object.fromEntries(opsets),
    layers: config.layers,
    dims: config.dims,
    heads: config.heads,
    keyValueHeads: config.keyValueHeads,
    headDims: config.headDims,
    vocabulary: config.vocabulary,
    contextTokens: config.contextTokens,
    parameters: weights.reduce((sum, { dims }) => sum + product(dims), 0),
    dataTypes: countTypes(weights),
    ...names(tapped),
    template: await describeTemplate(folder),
  };
}

function names({
  model,
  externalFiles,
  taps,
  chain,
}: TappedGraph): Pick<ModelReport, 'inputs' | 'outputs' | 'externalFiles' | 'taps' | 'chain'> {
  const { graph } = model;
  const inputs = graph.inputs.filter((name) => !graph.weights.has(name));
  return { inputs, outputs: graph.outputs, externalFiles, taps, chain };
}

function product(dims: readonly number[]): number {
  return dims.reduce((size, dim) => size * dim, 1);
}

const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
};

function countTypes(weights: readonly Weight[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of weights) {
    const name = TYPE_NAMES[type] ?? `type ${type}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function nameExporter({ producer, graph }: OnnxModel): string {
  const ops = new Set(graph.nodes.map(({ op }) => op));
  if (ops.has('If')) return `optimum, merged decoder (${producer})`;
  if (graph.nodes.some(({ scopes }) => scopes !== '')) return `torch.onnx, dynamo (${producer})`;
  if (producer.startsWith('onnxruntime-genai')) return `onnxruntime-genai builder (${producer})`;
  if (ops.has('SkipLayerNormalization') || ops.has('SkipSimplifiedLayerNormalization'))
    return `ONNX Runtime's fuser (${producer})`;
  return producer.startsWith('pytorch') ? `torch.onnx (${producer})` : producer;
}

async function describeTemplate(folder: ModelFolder): Promise<ModelReport['template']> {
  if (!(await exists(join(folder.path, 'tokenizer.json')))) return undefined;
  const { source, takesSystem, alternates } = await loadChatTemplate(
    folder.path,
    await loadTokenizer(folder.path),
  );
  return { source, takesSystem, alternates };
}

export function showModel(model: ModelReport): string {
  const { template } = model;
  const rows: [string, string][] = [
    ['model', `${model.name} (${model.family}), ${(model.parameters / 1e6).toFixed(1)} M parameters`],
    ['graph', model.graph],
    ['exporter', model.exporter],
    ['opsets', pairs(model.opsets)],
    ['layers', `${model.layers} of ${model.dims} dims`],
    ['heads', `${model.heads} over ${model.keyValueHeads} key/value heads of ${model.headDims}`],
    ['vocabulary', String(model.vocabulary)],
    ['context', `${model.contextTokens} tokens`],
    ['data types', pairs(model.dataTypes)],
    ['weights in', model.externalFiles.length > 0 ? model.externalFiles.join(', ') : 'the graph'],
    ['template', template ? showTemplate(template) : 'no tokenizer'],
    ['inputs', model.inputs.join(', ')],
    ['outputs', model.outputs.join(', ')],
    ['stream', `${model.chain.length} tensors`],
    ...model.taps.map((tap, layer): [string, string] => [`layer ${layer}`, tap]),
  ];
  return rows.map(([name, value]) => `${name.padEnd(11)} ${value}`).join('\n');
}

function showTemplate({ source, takesSystem, alternates }: NonNullable<ModelReport['template']>): string {
  const origin = source === 'model' ? "the model's own" : 'none of its own, plain text is used';
  const system = takesSystem ? 'takes a system prompt' : 'takes the system prompt in the first user message';
  return `${origin}; ${system}; ${alternates ? 'demands alternation' : 'tolerates turns in any order'}`;
}

function pairs(record: Readonly<Record<string, number>>): string {
  return Object.entries(record)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
}
