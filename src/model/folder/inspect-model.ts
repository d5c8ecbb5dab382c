/** Describes what a model folder holds, from its files, without running the model. */
import { join } from 'node:path';
import { type ChatTemplate, loadChatTemplate } from '../text/chat-template.ts';
import { countParameters, countTypes } from '../graph/count-weights.ts';
import type { ValueInfo } from '../runtime/graph-io.ts';
import { describeValues } from '../graph/graph-values.ts';
import type { GraphChoice } from './find-graph.ts';
import { exists, type ModelFolder, readModelFolder } from './model-folder.ts';
import type { OnnxModel } from '../graph/onnx-graph.ts';
import { tapGraph } from '../graph/tap-graph.ts';
import { loadTokenizer } from '../text/tokenizer.ts';

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
  /** Inputs with data types and shapes; a free dimension has a name, or is `?`. */
  inputs: ValueInfo[];
  outputs: ValueInfo[];
  /** Undefined without a tokenizer. */
  template: Pick<ChatTemplate, 'source' | 'takesSystem' | 'alternates'> | undefined;
  /** Name of the tensor of each layer, 0..L. */
  taps: string[];
  /** Names of the whole residual stream, including additions inside blocks. */
  chain: string[];
}

export async function inspectModel(path: string, choice?: GraphChoice): Promise<ModelReport> {
  const folder = await readModelFolder(path, choice);
  const { model, externalFiles, taps, chain } = await tapGraph(folder);
  const { config } = folder;
  const { graph, opsets } = model;
  return {
    name: folder.name,
    family: config.family,
    graph: folder.graph,
    exporter: nameExporter(model),
    opsets: Object.fromEntries(opsets),
    layers: config.layers,
    dims: config.dims,
    heads: config.heads,
    keyValueHeads: config.keyValueHeads,
    headDims: config.headDims,
    vocabulary: config.vocabulary,
    contextTokens: config.contextTokens,
    parameters: countParameters(graph),
    dataTypes: countTypes(graph),
    externalFiles,
    // Older files list their weights among the inputs.
    inputs: describeValues(
      graph,
      graph.inputs.filter((name) => !graph.weights.has(name)),
    ),
    outputs: describeValues(graph, graph.outputs),
    taps,
    chain,
    template: await describeTemplate(folder),
  };
}

function nameExporter({ producer, graph }: OnnxModel): string {
  const ops = new Set(graph.nodes.map(({ op }) => op));
  if (producer.startsWith('onnxruntime-genai')) return `onnxruntime-genai builder (${producer})`;
  if (ops.has('If')) return `optimum, merged decoder (${producer})`;
  if (graph.nodes.some(({ scopes }) => scopes !== '')) return `torch.onnx, dynamo (${producer})`;
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
