/**
 * Replaces calls of local functions by the functions' nodes, as the runtime does when it loads a graph, so that a block
 * which an exporter wrote as a function is read like any other. The result is used only to trace the data flow.
 *
 *   y = Block(x, w)   with   Block(a, b) → c { d = MatMul(a, b); c = Add(a, d) }
 *   becomes   y/d = MatMul(x, w); y = Add(x, y/d)
 */
import { EntrainError } from '../../protocol/errors.ts';
import type { GraphNode, LocalFunction } from './onnx-graph.ts';

/** Limits on nesting and on the number of nodes, so that a small file cannot expand without end. */
const MOST_DEPTH = 16;
const MOST_NODES = 200_000;

export interface InlinedNode extends GraphNode {
  /** The outermost function that the node came from. */
  inside?: string;
}

export function inlineCalls(nodes: readonly GraphNode[]): readonly InlinedNode[] {
  if (!nodes.some(({ body }) => body)) return nodes;
  const count = countNodes(nodes, { open: [], known: new Map() });
  if (count > MOST_NODES) throw tooMuch(`has ${count} nodes with its functions, more than ${MOST_NODES}`);
  return nodes.flatMap(inline);
}

function inline(node: GraphNode): InlinedNode[] {
  return node.body ? node.body.nodes.flatMap(inline).map((inner) => place(inner, node)) : [node];
}

interface Counting {
  /** Functions whose nodes are being counted, outermost first. */
  open: readonly LocalFunction[];
  known: Map<LocalFunction, number>;
}

function countNodes(nodes: readonly GraphNode[], counting: Counting): number {
  return nodes.reduce((sum, { body }) => sum + (body ? countBody(body, counting) : 1), 0);
}

function countBody(body: LocalFunction, { open, known }: Counting): number {
  if (open.includes(body) || open.length === MOST_DEPTH)
    throw tooMuch(`calls functions from functions without end, or more than ${MOST_DEPTH} deep`);
  const count = known.get(body) ?? countNodes(body.nodes, { open: [...open, body], known });
  known.set(body, count);
  return count;
}

/** A node of a function's body, with its tensors renamed for one call. */
function place(inner: GraphNode, call: GraphNode): InlinedNode {
  const { inputs = [], outputs = [] } = call.body ?? {};
  const own = call.outputs.find((name) => name !== '') ?? call.name;
  const rename = (name: string): string => {
    const output = outputs.indexOf(name);
    if (output >= 0 && call.outputs[output]) return call.outputs[output];
    const input = inputs.indexOf(name);
    if (input >= 0) return call.inputs[input] ?? '';
    return name === '' ? '' : `${own}/${name}`;
  };
  return {
    ...inner,
    name: `${call.name}/${inner.name}`,
    scopes: `${call.scopes} ${inner.scopes}`,
    inputs: [...inner.inputs, ...capturedNames(inner)].map(rename),
    outputs: inner.outputs.map(rename),
    graphs: new Map(),
    inside: call.op,
  };
}

/** Names that a node's sub-graphs take from outside; it may include some of their own. */
export function capturedNames(node: GraphNode): string[] {
  const names: string[] = [];
  for (const graph of node.graphs.values()) {
    for (const inner of graph.nodes) names.push(...inner.inputs, ...capturedNames(inner));
    names.push(...graph.outputs);
  }
  return names;
}

function tooMuch(what: string): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The graph ${what}, expected a plain text decoder; export the model with its functions inlined.`,
  );
}
