/**
 * Adds inputs to the residual stream: what is fed to the input of a layer is added to the state that leaves it, before
 * anything reads that state.
 *
 *   plain   node ─▶ raw ─▶ Add ─▶ state                     whoever read the state reads the sum
 *   fused   skip ─▶ Add ─▶ SkipLayerNormalization ─▶ norm, state       its norm is of the sum inside the node
 *
 * An input is flat, [tokens × dims] in float32, whatever rank and type the stream has. Zeros change no bit of a pass.
 */
import { EntrainError } from '../../protocol/errors.ts';
import { patchInput } from '../runtime/graph-io.ts';
import { concat, readFields, text, writeBytes } from '../../onnx/protobuf.ts';
import { inputField, nodeField } from '../../onnx/write-node.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';
import { nodeContent, type NodeEdit } from './patch-graph.ts';

const FLOAT = 1;
const NODE_INPUT = 1;
const NODE_OUTPUT = 2;
/** From this version of ONNX's operators on there is `CastLike`. */
const CAST_LIKE_OPSET = 15;

export interface StateInputs {
  /** Layers whose states get an input, 1..L. */
  layers: readonly number[];
  /** Version of ONNX's operators. */
  opset: number;
}

/** The inputs as fields of the graph. */
export function stateInputFields({ layers }: Pick<StateInputs, 'layers'>): Uint8Array {
  return concat(layers.map((layer) => inputField(patchInput(layer), FLOAT, [`${patchInput(layer)}_size`])));
}

/**
 * @param taps tensor name by layer
 * @param edits of the same graph; those of the nodes concerned are extended
 * @throws EntrainError `MODEL_UNSUPPORTED` where a layer's state leaves no node of the graph
 */
export function addStateInputs(
  graph: Graph,
  { taps, edits }: { taps: readonly string[]; edits: readonly NodeEdit[] },
  { layers, opset }: StateInputs,
): NodeEdit[] {
  const byNode = new Map<GraphNode, NodeEdit>(edits.map((edit) => [edit.node, edit]));
  const castLike = opset >= CAST_LIKE_OPSET;
  for (const layer of layers) {
    const state = taps[layer] ?? '';
    const node = makerOf(graph, { state, edits: byNode });
    if (!node) throw noPlace(layer);
    const content = byNode.get(node)?.content ?? nodeContent(graph.bytes, node);
    byNode.set(node, { node, ...editOf(node, { layer, state, content, castLike }) });
  }
  return [...byNode.values()];
}

/** The node that gives a state; a fused one may name it only by an edit. */
function makerOf(
  graph: Graph,
  { state, edits }: { state: string; edits: ReadonlyMap<GraphNode, NodeEdit> },
): GraphNode | undefined {
  return (
    graph.nodes.find(({ outputs }) => outputs.includes(state)) ??
    [...edits.values()].find(({ content }) => namesOf(content, NODE_OUTPUT).includes(state))?.node
  );
}

interface Place {
  layer: number;
  state: string;
  /** Of the node, with earlier edits. */
  content: Uint8Array;
  castLike: boolean;
}

function editOf(node: GraphNode, { layer, state, content, castLike }: Place): Omit<NodeEdit, 'node'> {
  const input = patchInput(layer);
  if (!isFusedSum(node)) {
    const raw = `${input}_raw`;
    const at = namesOf(content, NODE_OUTPUT).indexOf(state);
    const behind = addition({ input, to: raw, sum: state, castLike });
    return { content: renamed(content, { field: NODE_OUTPUT, at, name: raw }), behind };
  }
  const skip = namesOf(content, NODE_INPUT)[1] ?? '';
  const sum = `${input}_sum`;
  return {
    before: addition({ input, to: skip, sum, castLike }),
    content: renamed(content, { field: NODE_INPUT, at: 1, name: sum }),
  };
}

/** Nodes that add two tensors and normalise the sum. */
const isFusedSum = ({ op }: GraphNode): boolean => /^Skip\w*LayerNorm/.test(op);

interface Addition {
  input: string;
  to: string;
  sum: string;
  castLike: boolean;
}

function addition({ input, to, sum, castLike }: Addition): Uint8Array {
  const [shape, shaped, cast] = [`${input}_shape`, `${input}_shaped`, `${input}_cast`];
  return concat([
    nodeField({ op: 'Shape', inputs: [to], outputs: [shape] }),
    nodeField({ op: 'Reshape', inputs: [input, shape], outputs: [shaped] }),
    ...(castLike ? [nodeField({ op: 'CastLike', inputs: [shaped, to], outputs: [cast] })] : []),
    nodeField({ op: 'Add', inputs: [to, castLike ? cast : shaped], outputs: [sum] }),
  ]);
}

function namesOf(content: Uint8Array, field: number): string[] {
  return [...readFields(content)].filter(({ number }) => number === field).map(({ bytes }) => text(bytes));
}

/** The node's content with another name as the `at`-th of its inputs or outputs. */
function renamed(
  content: Uint8Array,
  { field, at, name }: { field: number; at: number; name: string },
): Uint8Array {
  let count = 0;
  const parts = [...readFields(content)].map(({ number, start, end }) =>
    number === field && count++ === at ? writeBytes(field, name) : content.subarray(start, end),
  );
  return concat(parts);
}

function noPlace(layer: number): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The state of layer ${layer} leaves no node of the graph itself, so it cannot be patched; choose another layer, or export the model as a plain decoder.`,
  );
}
