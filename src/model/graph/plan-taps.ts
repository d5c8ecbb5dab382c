/**
 * Decides which tensors of a graph are the layers' states and what must change so that they become outputs. It handles
 * plain graphs, fused norms whose sum has no name, and decoders inside the two branches of an `If`.
 */
import { findTaps } from './find-taps.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';
import { nodeContent, type NodeEdit, type Patch, replaceNodes } from './patch-graph.ts';
import { concat, readFields, text, writeBytes } from '../../onnx/protobuf.ts';
import { outputFields } from '../../onnx/write-node.ts';
import { addStateInputs, type StateInputs } from './state-inputs.ts';
import { type Cut, findResidualChain, type Link } from './residual-chain.ts';

export interface TapPlan extends Patch {
  /** Tensor name by layer, 0..L. */
  taps: string[];
  /** All tensors of the residual stream, for display. */
  chain: string[];
}

const NODE_OUTPUT = 2;
const NODE_ATTRIBUTE = 5;
const ATTRIBUTE_GRAPH = 6;

/** @param patched layers whose states get an input, if any */
export function planTaps(graph: Graph, layers: number, patched?: StateInputs): TapPlan {
  const chain = findResidualChain(graph);
  const choice = graph.nodes.find((node) => node.op === 'If' && node.graphs.size === 2);
  if (chain.length <= 1 && choice) return planBranches(graph, choice, { layers, patched });
  const links = findTaps(chain, layers);
  const taps = links.map(({ tensor }) => tensor);
  return {
    taps,
    chain: streamOf(chain),
    outputs: taps.filter((tensor) => !graph.outputs.includes(tensor)),
    edits: editsOf(graph, links, patched),
  };
}

function editsOf(graph: Graph, links: readonly Link[], patched: StateInputs | undefined): NodeEdit[] {
  const edits = links.flatMap((link) => nameSum(graph, link));
  return patched ? addStateInputs(graph, { taps: links.map(({ tensor }) => tensor), edits }, patched) : edits;
}

/** The tensor that enters the first branch, and every sum after it. */
function streamOf(chain: readonly Cut[]): string[] {
  const first = chain.findIndex(({ merges }) => merges);
  return chain.filter(({ merges }, i) => merges || i === first - 1).map(({ link }) => link.tensor);
}

/** Outputs are a repeated field, so missing ones are appended to the node's bytes. */
function nameSum(graph: Graph, { unnamed: node, tensor }: Link): NodeEdit[] {
  if (!node) return [];
  const blanks = Array.from({ length: 3 - node.outputs.length }, () => '');
  const names = [...blanks, tensor].map((name) => writeBytes(NODE_OUTPUT, name));
  return [{ node, content: concat([nodeContent(graph.bytes, node), ...names]) }];
}

/** A tap inside a branch must become an output of both branches and of the `If`. */
function planBranches(
  graph: Graph,
  choice: GraphNode,
  { layers, patched }: { layers: number; patched: StateInputs | undefined },
): TapPlan {
  const outer = fixedNames(graph);
  const inside = new Map<string, Uint8Array[]>();
  let chain: Cut[] = [];
  for (const [name, branch] of choice.graphs) {
    chain = findResidualChain(branch, outer);
    inside.set(name, widenBranch(branch, findTaps(chain, layers), patched));
  }
  const taps = Array.from({ length: layers + 1 }, (_, layer) => `entrain_layer_${layer}`);
  const edit = { node: choice, content: widenChoice(nodeContent(graph.bytes, choice), { inside, taps }) };
  return { taps, chain: streamOf(chain), outputs: taps, edits: [edit] };
}

/** The branch's graph with more outputs, in pieces, each a field of the attribute; protobuf merges them. */
function widenBranch(branch: Graph, links: readonly Link[], patched: StateInputs | undefined): Uint8Array[] {
  const edits = editsOf(branch, links, patched);
  const pieces = replaceNodes(branch.bytes, edits, ATTRIBUTE_GRAPH);
  return [...pieces, writeBytes(ATTRIBUTE_GRAPH, outputFields(links.map(({ tensor }) => tensor)))];
}

function fixedNames(graph: Graph): Set<string> {
  const constants = graph.nodes.filter(({ op }) => op === 'Constant').flatMap(({ outputs }) => outputs);
  return new Set([...graph.weights.keys(), ...constants]);
}

function widenChoice(
  content: Uint8Array,
  { inside, taps }: { inside: ReadonlyMap<string, Uint8Array[]>; taps: readonly string[] },
): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const field of readFields(content)) {
    const pieces = field.number === NODE_ATTRIBUTE ? inside.get(attributeName(field.bytes)) : undefined;
    if (!pieces) parts.push(content.subarray(field.start, field.end));
    else parts.push(writeBytes(NODE_ATTRIBUTE, concat([...withoutGraph(field.bytes), ...pieces])));
  }
  return concat([...parts, ...taps.map((name) => writeBytes(NODE_OUTPUT, name))]);
}

function withoutGraph(attribute: Uint8Array): Uint8Array[] {
  return [...readFields(attribute)]
    .filter(({ number }) => number !== ATTRIBUTE_GRAPH)
    .map(({ start, end }) => attribute.subarray(start, end));
}

function attributeName(attribute: Uint8Array): string {
  for (const field of readFields(attribute)) if (field.number === 1) return text(field.bytes);
  return '';
}
