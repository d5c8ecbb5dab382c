/**
 * Finds the residual stream of a decoder by structure: the tensors that every path from the token embedding to the
 * logits passes. A branch has a path around it, so no tensor inside a branch is one of them.
 *
 *                ┌▶ norm ─▶ attention ─┐       ┌▶ norm ─▶ mlp ─┐
 *   embedding ─▶ x0 ─────────────────▶ Add ─▶ x ────────────▶ Add ─▶ x1 … ─▶ norm ─▶ logits
 *                cut                   cut: a merge             cut
 *
 * Names, order of operands, norms, scales and position embeddings do not matter. The tensors are the dominators of the
 * logits in the flow graph (Cooper, Harvey and Kennedy, "A simple, fast dominance algorithm", 2001).
 */
import { type Flow, type Link, readFlow, type Vertex } from './data-flow.ts';
import type { Graph } from './onnx-graph.ts';

export type { Link } from './data-flow.ts';

/** A tensor that every path passes, in the order of the stream. */
export interface Cut {
  link: Link;
  op: string;
  label: string;
  /** Whether a branch is added to the stream here. */
  merges: boolean;
  /** Whether there is attention between the previous cut and this one. */
  attends: boolean;
}

const ADDITIONS = new Set(['Add', 'Sum']);

/**
 * @param outer names that a sub-graph takes from outside
 * @returns the cuts from the embedding to the logits; empty if the graph has no embedding
 */
export function findResidualChain(graph: Graph, outer: ReadonlySet<string> = new Set()): Cut[] {
  const flow = readFlow(graph, outer);
  const sinks = sinksOf(flow, graph);
  const attention = findAttention(flow);
  let best: Cut[] = [];
  let most = -1;
  for (const start of startsOf(flow.vertices)) {
    const tree = dominate(flow.vertices, start);
    for (const sink of sinks) {
      const cuts = toCuts(flow.vertices, { path: pathTo(tree, sink), tree, attention });
      const merges = cuts.filter((cut) => cut.merges).length;
      if (merges > most && cuts.length > 0) [best, most] = [cuts, merges];
    }
  }
  return best;
}

function sinksOf({ makers }: Flow, graph: Graph): number[] {
  const logits = makers.get('logits');
  if (logits !== undefined && graph.outputs.includes('logits')) return [logits];
  return graph.outputs.flatMap((name) => makers.get(name) ?? []);
}

/**
 * Vertices where tokens enter. Tables that are looked up by position or rotary angle are not computed from the token
 * ids and are left out, if the ids have their usual name.
 */
function startsOf(vertices: readonly Vertex[]): number[] {
  const lookups = [...vertices.keys()].filter((index) => vertices[index]?.lookup);
  const spoken = lookups.filter((index) => vertices[index]?.spoken);
  return spoken.length > 0 ? spoken : lookups;
}

interface Tree {
  /** Immediate dominator of each vertex; −1 if no path from the start reaches it. */
  parent: Int32Array;
  depth: Int32Array;
}

function dominate(vertices: readonly Vertex[], start: number): Tree {
  const tree = { parent: new Int32Array(vertices.length).fill(-1), depth: new Int32Array(vertices.length) };
  tree.parent[start] = start;
  for (let at = start + 1; at < vertices.length; at++) {
    const from = vertices[at]?.from.filter((index) => onWay(tree, index)) ?? [];
    const [first, ...rest] = from;
    if (first === undefined) continue;
    const parent = rest.reduce((a, b) => meet(tree, a, b), first);
    tree.parent[at] = parent;
    tree.depth[at] = (tree.depth[parent] ?? 0) + 1;
  }
  return tree;
}

function onWay({ parent }: Tree, index: number): boolean {
  return (parent[index] ?? -1) >= 0;
}

function meet({ parent, depth }: Tree, a: number, b: number): number {
  while (a !== b) {
    if ((depth[a] ?? 0) >= (depth[b] ?? 0)) a = parent[a] ?? 0;
    else b = parent[b] ?? 0;
  }
  return a;
}

function pathTo(tree: Tree, sink: number): number[] {
  if (!onWay(tree, sink)) return [];
  const path = [sink];
  for (let at = sink; tree.parent[at] !== at;) path.push((at = tree.parent[at] ?? at));
  return path.reverse();
}

interface Way {
  path: readonly number[];
  tree: Tree;
  attention: readonly number[];
}

function toCuts(vertices: readonly Vertex[], { path, tree, attention }: Way): Cut[] {
  const reached = attention.filter((index) => onWay(tree, index));
  return path.flatMap((index, i) => {
    const vertex = vertices[index];
    if (!vertex) return [];
    const { link, op, label } = vertex;
    const ways = vertex.from.filter((from) => onWay(tree, from)).length;
    const before = path[i - 1] ?? index;
    const attends = reached.some((at) => at > before && at < index);
    return [{ link, op, label, merges: i > 0 && ways > 1 && ADDITIONS.has(op), attends }];
  });
}

/** Finds fused attention, and softmax over a product of two computed tensors; a router's product has weights. */
function findAttention(flow: Flow): number[] {
  return [...flow.vertices.keys()].filter((index) => {
    const op = flow.vertices[index]?.op ?? '';
    return op.endsWith('Attention') || (op === 'Softmax' && comesFromProduct(flow, index));
  });
}

/** Most nodes between the scores and their softmax: scaling, cap, mask, casts. */
const REACH = 16;

function comesFromProduct(flow: Flow, softmax: number): boolean {
  let front = [softmax];
  for (let step = 0; step < REACH && front.length > 0; step++) {
    if (front.some((index) => flow.isProduct(index))) return true;
    front = [
      ...new Set(
        front.filter((index) => !isMatMul(flow, index)).flatMap((i) => flow.vertices[i]?.from ?? []),
      ),
    ];
  }
  return false;
}

function isMatMul({ vertices }: Flow, index: number): boolean {
  return /MatMul|Gemm/.test(vertices[index]?.op ?? '');
}
