/**
 * Finds the residual stream of a decoder by structure: the longest path of additions of two computed tensors that starts
 * at the token embedding. Names differ between exporters, this does not.
 *
 *   ids ─ Gather ─▶ (scale, norm) ─▶ Add(x, attention) ─▶ Add(x, mlp) ─▶ Add … ─▶ final norm ─▶ logits
 *         entry     restarts it      link                link
 */
import type { Graph, GraphNode } from './onnx-graph.ts';

/** A tensor on the stream; `unnamed` tells the node whose fourth output must first be given this name. */
export interface Link {
  tensor: string;
  unnamed?: GraphNode;
}

interface Path {
  link: Link;
  length: number;
  before: Path | undefined;
}

const SKIP_NORMS = new Set(['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization']);
const EMBEDDINGS = new Set(['Gather', 'GatherBlockQuantized']);
/** What may lie between the table and the first block: scaling, casting, normalisation fused or spelled out. */
const RESTARTS = new Set([
  'LayerNormalization',
  'SimplifiedLayerNormalization',
  'RMSNormalization',
  'DequantizeLinear',
  'Mul',
  'Sub',
  'Div',
  'Cast',
  'Identity',
]);
const PASSES = new Set(['Cast', 'Identity', 'Dropout']);

/** The tensors of the stream from the embedding on; empty when the graph has none. `outer`: names fixed outside a sub-graph. */
export function findResidualChain(graph: Graph, outer: ReadonlySet<string> = new Set()): Link[] {
  const fixed = new Set([...outer, ...graph.weights.keys()]);
  const paths = new Map<string, Path>();
  let best: Path | undefined;
  // Nodes of an ONNX graph stand in topological order, so one pass is enough.
  for (const node of graph.nodes) {
    if (isFixed(node, fixed)) {
      for (const output of node.outputs) fixed.add(output);
      continue;
    }
    const path = pathThrough(node, fixed, paths);
    if (path && path.length > (best?.length ?? 0)) best = path;
  }
  return unwind(best);
}

function isFixed(node: GraphNode, fixed: ReadonlySet<string>): boolean {
  if (node.op === 'Constant') return true;
  return node.inputs.length > 0 && node.inputs.every((input) => input === '' || fixed.has(input));
}

function pathThrough(
  node: GraphNode,
  fixed: ReadonlySet<string>,
  paths: Map<string, Path>,
): Path | undefined {
  const output = node.outputs[0] ?? '';
  if (node.op === 'EmbedLayerNormalization') return start(node.outputs[2] ?? output, paths);
  if (EMBEDDINGS.has(node.op)) {
    return isEmbedding(node, fixed) ? start(output, paths) : undefined;
  }
  const before = longest(node, paths);
  if (!before) return undefined;
  if (SKIP_NORMS.has(node.op)) return extend(sumOf(node), before, paths);
  if (node.op === 'Add' && !node.inputs.some((input) => fixed.has(input)))
    return extend({ tensor: output }, before, paths);
  if (before.length === 1 && (RESTARTS.has(node.op) || node.op === 'Add')) return start(output, paths);
  if (PASSES.has(node.op)) paths.set(output, before);
  return undefined;
}

function isEmbedding(node: GraphNode, fixed: ReadonlySet<string>): boolean {
  const [table = '', ids = ''] = node.inputs;
  return fixed.has(table) && !fixed.has(ids);
}

function start(tensor: string, paths: Map<string, Path>): Path {
  const path: Path = { link: { tensor }, length: 1, before: undefined };
  paths.set(tensor, path);
  return path;
}

function extend(link: Link, before: Path, paths: Map<string, Path>): Path {
  const path: Path = { link, length: before.length + 1, before };
  paths.set(link.tensor, path);
  return path;
}

/** The fourth output of a fused skip-and-norm is the sum; the last one of a model usually leaves it out. */
function sumOf(node: GraphNode): Link {
  const name = node.outputs[3];
  if (name) return { tensor: name };
  return { tensor: `${node.outputs[0] ?? node.name}_residual_sum`, unnamed: node };
}

function longest(node: GraphNode, paths: ReadonlyMap<string, Path>): Path | undefined {
  let best: Path | undefined;
  for (const input of node.inputs) {
    const path = paths.get(input);
    if (path && path.length > (best?.length ?? 0)) best = path;
  }
  return best;
}

function unwind(path: Path | undefined): Link[] {
  const links: Link[] = [];
  for (let at = path; at; at = at.before) links.push(at.link);
  return links.reverse();
}
