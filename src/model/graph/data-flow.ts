/**
 * A decoder's graph as data flow: what is computed from what. Sizes (`Shape`) carry no state, so they are no part of
 * it, and a norm fused with an addition counts as two vertices, for the sum goes on and the norm feeds the next branch.
 *
 *   SkipLayerNormalization(x, attention) ─▶ normed, …, sum        is        Add ─▶ sum ─▶ norm ─▶ normed
 */
import { capturedNames, inlineCalls, type InlinedNode } from './inline-calls.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';

/** A tensor of the graph; `unnamed` tells the node whose fourth output must first be given this name. */
export interface Link {
  tensor: string;
  unnamed?: GraphNode;
  /** The local function it stays within, where nobody can read it. */
  inside?: string;
}

/** Vertices stand in topological order, as the nodes of an ONNX graph do. */
export interface Vertex {
  link: Link;
  op: string;
  /** Names and scopes, for what they may tell. */
  label: string;
  /** Indices of the vertices it is computed from, each once. */
  from: number[];
  /** A row of the token table, or of another one, looked up by computed indices. */
  lookup: boolean;
  /** Computed from the token ids. */
  spoken: boolean;
}

export interface Flow {
  vertices: Vertex[];
  /** Vertex by tensor name. */
  makers: ReadonlyMap<string, number>;
  /** Vertices whose operands are all computed, as keys and queries are. */
  isProduct(vertex: number): boolean;
}

const SIZES = new Set(['Shape', 'Size']);
/** No vertices of their own: an output keeps the runtime from dropping a dropout that a training export left active. */
const PASSES = new Set(['Identity', 'Dropout']);
const LOOKUPS = new Set(['Gather', 'GatherBlockQuantized']);
const SKIP_NORMS = new Set(['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']);
const FUSED_EMBEDDING = 'EmbedLayerNormalization';
const PRODUCTS = new Set(['MatMul', 'Einsum', 'FusedMatMul']);
const IDS = 'input_ids';

/** @param outer names fixed outside a sub-graph */
export function readFlow(graph: Graph, outer: ReadonlySet<string> = new Set()): Flow {
  const fixed = new Set([...outer, ...graph.weights.keys()]);
  const vertices: Vertex[] = [];
  const makers = new Map<string, number>();
  const products = new Set<number>();
  const named = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  for (const node of inlineCalls(graph.nodes)) {
    if (isFixed(node, fixed)) {
      for (const output of node.outputs) fixed.add(output);
    } else if (PASSES.has(node.op)) {
      const [tensor = ''] = node.outputs;
      const maker = makers.get(node.inputs[0] ?? '');
      if (maker === undefined) continue;
      makers.set(tensor, maker);
      const made = vertices[maker];
      if (made?.link.inside !== undefined && named.has(tensor)) made.link = { tensor };
    } else if (!SIZES.has(node.op)) {
      for (const vertex of toVertices(node, { fixed, vertices, makers, named }))
        addVertex(vertex, vertices, makers);
      if (PRODUCTS.has(node.op) && !node.inputs.some((input) => fixed.has(input)))
        products.add(vertices.length - 1);
    }
  }
  return { vertices, makers, isProduct: (vertex) => products.has(vertex) };
}

function isFixed(node: GraphNode, fixed: ReadonlySet<string>): boolean {
  if (node.op === 'Constant') return true;
  return node.inputs.length > 0 && node.inputs.every((input) => input === '' || fixed.has(input));
}

interface Known {
  fixed: ReadonlySet<string>;
  vertices: readonly Vertex[];
  makers: ReadonlyMap<string, number>;
  /** Tensors of the graph itself. */
  named: ReadonlySet<string>;
}

/** What a node adds to the flow, and under which names its results go. */
interface NewVertex extends Vertex {
  names: string[];
}

function toVertices(node: InlinedNode, known: Known): NewVertex[] {
  const inputs = [...node.inputs, ...capturedNames(node)];
  const from = [...new Set(inputs.flatMap((input) => known.makers.get(input) ?? []))];
  const spoken = inputs.includes(IDS) || from.some((index) => known.vertices[index]?.spoken);
  const label = `${node.outputs[0] ?? ''} ${node.name} ${node.scopes}`;
  const vertex = (op: string, found: Link, names: string[]): NewVertex => {
    const link = conceal(found, node, known);
    return { op, link, names, label, from, lookup: false, spoken };
  };
  const tensor = node.outputs[0] ?? '';
  if (SKIP_NORMS.has(node.op) || node.op === FUSED_EMBEDDING) {
    const sum = sumOf(node);
    const first = vertex('Add', sum, [sum.tensor]);
    first.lookup = node.op === FUSED_EMBEDDING;
    return [first, { ...vertex(node.op, { tensor }, [tensor]), from: [known.vertices.length] }];
  }
  const [table = '', ids = ''] = node.inputs;
  const lookup = LOOKUPS.has(node.op) && known.fixed.has(table) && !known.fixed.has(ids);
  return [{ ...vertex(node.op, { tensor }, node.outputs), lookup }];
}

function conceal(link: Link, { inside }: InlinedNode, { named }: Known): Link {
  if (inside === undefined || (named.has(link.tensor) && !link.unnamed)) return link;
  return { tensor: link.tensor, inside };
}

function addVertex({ names, ...vertex }: NewVertex, vertices: Vertex[], makers: Map<string, number>): void {
  for (const name of names) makers.set(name, vertices.length);
  vertices.push(vertex);
}

/** The sum of a fused skip-and-norm is its fourth output, of a fused embedding the third; either may be left out. */
function sumOf(node: GraphNode): Link {
  const name = node.outputs[node.op === FUSED_EMBEDDING ? 2 : 3];
  if (name) return { tensor: name };
  return { tensor: `${node.outputs[0] ?? node.name}_residual_sum`, unnamed: node };
}
