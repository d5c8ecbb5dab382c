/**
 * The data flow of a decoder's graph: which tensor is computed from which. Sizes (`Shape`) carry no state and are left
 * out. A norm fused with an addition becomes two vertices, since the sum continues the residual stream and the norm
 * feeds the next branch.
 *
 *   SkipLayerNormalization(x, attention) ─▶ normed, …, sum      becomes   Add ─▶ sum ─▶ norm ─▶ normed
 */
import { capturedNames, inlineCalls, type InlinedNode } from './inline-calls.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';

/** A tensor of the graph; `unnamed` is the node whose fourth output must first get this name. */
export interface Link {
  tensor: string;
  unnamed?: GraphNode;
  /** The local function that the tensor is internal to, so that it cannot be an output. */
  inside?: string;
}

/** Vertices are in topological order, like the nodes of an ONNX graph. */
export interface Vertex {
  link: Link;
  op: string;
  /** Names and scopes, in which the layer may be named. */
  label: string;
  /** Indices of its operands' vertices, each once. */
  from: number[];
  /** Whether it is a row of an embedding table, looked up by computed indices. */
  lookup: boolean;
  /** Whether it is computed from the token ids. */
  spoken: boolean;
}

export interface Flow {
  vertices: Vertex[];
  /** Vertex by tensor name. */
  makers: ReadonlyMap<string, number>;
  /** Whether a vertex is a matrix product whose operands are both computed, such as of keys and queries. */
  isProduct(vertex: number): boolean;
}

const SIZES = new Set(['Shape', 'Size']);
/** Operators without a vertex: a dropout whose result is an output would not be removed by the runtime. */
const PASSES = new Set(['Identity', 'Dropout']);
const LOOKUPS = new Set(['Gather', 'GatherBlockQuantized']);
const SKIP_NORMS = new Set(['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']);
const FUSED_EMBEDDING = 'EmbedLayerNormalization';
const PRODUCTS = new Set(['MatMul', 'Einsum', 'FusedMatMul']);
const IDS = 'input_ids';

/** @param outer names that a sub-graph takes from outside */
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

/** What a node adds to the flow, with the names of its results. */
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
