/** Counts the parameters of a graph by data type, including branches of an `If` and quantised matrices. */
import { nameType } from './graph-values.ts';
import type { Graph, GraphNode, Weight } from './onnx-graph.ts';

export function countParameters(graph: Graph): number {
  let parameters = 0;
  for (const part of withBranches(graph)) {
    const packed = new Map(part.nodes.flatMap((node) => [...unpackedSizes(node, part)]));
    for (const weight of part.weights.values())
      parameters += packed.get(weight.name) ?? weight.dims.reduce((size, dim) => size * dim, 1);
  }
  return parameters;
}

/** Number of weights by data type. */
export function countTypes(graph: Graph): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const part of withBranches(graph)) {
    for (const { type } of part.weights.values()) {
      const name = nameType(type);
      counts[name] = (counts[name] ?? 0) + 1;
    }
  }
  return counts;
}

function* withBranches(graph: Graph): Generator<Graph> {
  yield graph;
  for (const node of graph.nodes) for (const branch of node.graphs.values()) yield* withBranches(branch);
}

const BITS_PER_BYTE = 8;
const UINT8 = 2;

/** A quantised matrix counts with its unpacked size; its scales and zero points are not counted. */
function unpackedSizes({ op, inputs, integers }: GraphNode, { weights }: Graph): Map<string, number> {
  const sizes = new Map<string, number>();
  const bits = integers.get('bits') ?? 4;
  const put = (stored: string, rest: readonly string[], size: (weight: Weight) => number): void => {
    const weight = weights.get(stored);
    if (!weight) return;
    sizes.set(stored, size(weight));
    for (const name of rest) sizes.set(name, 0);
  };
  if (op === 'MatMulNBits')
    put(inputs[1] ?? '', inputs.slice(2, 4), () => (integers.get('N') ?? 0) * (integers.get('K') ?? 0));
  if (op === 'GatherBlockQuantized')
    put(inputs[0] ?? '', inputs.slice(2), ({ dims, type }) => {
      const stored = dims.reduce((size, dim) => size * dim, 1);
      return type === UINT8 ? (stored * BITS_PER_BYTE) / bits : stored;
    });
  return sizes;
}
