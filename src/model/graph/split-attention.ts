/**
 * Attention that reads the cache where it lies. Exporters join past and new rows before they read them, which copies
 * the whole cache in every pass; here each part has matrix products of its own, and only scores are joined.
 *
 *   queries ─┬─ × pastᵀ ──┐                        ┌─ weights of past ─── × past values ──┐
 *            └─ × freshᵀ ─┴▶ Concat ─▶ … Softmax ─▶┴─ weights of fresh ── × fresh values ─┴▶ Add
 *
 * A sum over positions is thus taken in two parts, so results differ from those of the joined cache by rounding.
 */
import { concat, integers, readFields, text } from '../../onnx/protobuf.ts';
import { integersField, nodeField } from '../../onnx/write-node.ts';
import type { Graph, GraphNode } from './onnx-graph.ts';
import { nodeContent, type NodeEdit, withNames } from './patch-graph.ts';

/** A cache tensor, and the tensor that holds the rows since then: recent and new ones. */
export interface CacheParts {
  past: string;
  fresh: string;
}

interface Reader {
  parts: CacheParts;
  /** The matrix product that reads the cache: of keys, which are turned first, or of values. */
  product: GraphNode;
  reads: 'keys' | 'values';
}

/** From this version of ONNX's operators on Slice takes its places as inputs. */
const SLICE_OPSET = 10;

/**
 * @param slots whose `fresh` is so far the name of past and fresh rows joined
 * @returns undefined if something else than plain attention reads one of them
 */
export function splitAttention(
  graph: Graph,
  slots: readonly CacheParts[],
  opset: number,
): { before: Uint8Array; edits: NodeEdit[] } | undefined {
  const readers = slots.flatMap((parts) => findReader(graph, parts) ?? []);
  const [first] = slots;
  if (!first || readers.length !== slots.length || opset < SLICE_OPSET) return undefined;
  return { before: pastLength(first), edits: readers.map((reader) => splitProduct(graph, reader)) };
}

function findReader(graph: Graph, parts: CacheParts): Reader | undefined {
  const [reader, ...others] = readersOf(graph, parts.fresh);
  if (!reader || others.length > 0) return undefined;
  if (isProductWith(reader, parts.fresh)) return { parts, product: reader, reads: 'values' };
  const [turned = ''] = reader.outputs;
  if (reader.op !== 'Transpose' || permOf(graph, reader).join() !== KEYS_TURNED.join()) return undefined;
  const [product, ...more] = readersOf(graph, turned);
  if (!product || more.length > 0 || !isProductWith(product, turned)) return undefined;
  return graph.outputs.includes(turned) ? undefined : { parts, product, reads: 'keys' };
}

const KEYS_TURNED = [0, 1, 3, 2];

/** Nodes that read a tensor, also those in whose sub-graphs it is read. */
function readersOf(graph: Graph, tensor: string): GraphNode[] {
  return graph.nodes.filter(
    ({ inputs, graphs }) =>
      inputs.includes(tensor) || [...graphs.values()].some((inner) => readersOf(inner, tensor).length > 0),
  );
}

function isProductWith({ op, domain, inputs }: GraphNode, second: string): boolean {
  return op === 'MatMul' && domain === '' && inputs[0] !== second && inputs[1] === second;
}

const ATTRIBUTE = { field: 5, name: 1, integers: 8 };

function permOf(graph: Graph, node: GraphNode): number[] {
  const attributes = [...readFields(nodeContent(graph.bytes, node))]
    .filter(({ number }) => number === ATTRIBUTE.field)
    .map(({ bytes }) => [...readFields(bytes)]);
  const perm = attributes.find((fields) =>
    fields.some(({ number, bytes }) => number === ATTRIBUTE.name && text(bytes) === 'perm'),
  );
  return (perm ?? []).filter(({ number }) => number === ATTRIBUTE.integers).flatMap(integers);
}

const LENGTH = 'entrain_past_length';
const NAMES = {
  tokens: 'entrain_axis_tokens',
  last: 'entrain_axis_last',
  zero: 'entrain_zero',
  end: 'entrain_end',
};
const TOKEN_AXIS = 2;
const END = 2 ** 31 - 1;

/** Fields that give the number of past tokens; all slots have the same. */
function pastLength({ past }: CacheParts): Uint8Array {
  return concat([
    integersField(NAMES.tokens, [TOKEN_AXIS]),
    integersField(NAMES.last, [-1]),
    integersField(NAMES.zero, [0]),
    integersField(NAMES.end, [END]),
    nodeField({ op: 'Shape', inputs: [past], outputs: ['entrain_past_shape'] }),
    nodeField({
      op: 'Gather',
      inputs: ['entrain_past_shape', NAMES.tokens],
      outputs: [LENGTH],
      attributes: { axis: 0 },
    }),
  ]);
}

function splitProduct(graph: Graph, { parts, product, reads }: Reader): NodeEdit {
  const [left = '', right = ''] = product.inputs;
  const [whole = ''] = product.outputs;
  const names = { whole, ofPast: `entrain_of_past.${whole}`, ofFresh: `entrain_of_fresh.${whole}` };
  const content = nodeContent(graph.bytes, product);
  return reads === 'keys'
    ? { node: product, ...splitKeys(content, { ...names, left, right, ...parts }) }
    : { node: product, ...splitValues(content, { ...names, left, right, ...parts }) };
}

interface Product extends CacheParts {
  left: string;
  right: string;
  /** Results: of both parts, and of each. */
  whole: string;
  ofPast: string;
  ofFresh: string;
}

function splitKeys(content: Uint8Array, names: Product): Omit<NodeEdit, 'node'> {
  const { left, right, past, whole, ofPast, ofFresh } = names;
  const turned = `entrain_turned.${past}`;
  return {
    content: withNames(content, { inputs: [left, right], outputs: [ofFresh] }),
    behind: concat([
      nodeField({ op: 'Transpose', inputs: [past], outputs: [turned], attributes: { perm: KEYS_TURNED } }),
      nodeField({ op: 'MatMul', inputs: [left, turned], outputs: [ofPast] }),
      nodeField({ op: 'Concat', inputs: [ofPast, ofFresh], outputs: [whole], attributes: { axis: -1 } }),
    ]),
  };
}

function splitValues(content: Uint8Array, names: Product): Omit<NodeEdit, 'node'> {
  const { left, past, fresh, whole, ofPast, ofFresh } = names;
  const [leftPast, leftFresh] = [`${left}.entrain_past`, `${left}.entrain_fresh`];
  return {
    before: concat([
      nodeField({ op: 'Slice', inputs: [left, NAMES.zero, LENGTH, NAMES.last], outputs: [leftPast] }),
      nodeField({ op: 'Slice', inputs: [left, LENGTH, NAMES.end, NAMES.last], outputs: [leftFresh] }),
    ]),
    content: withNames(content, { inputs: [leftFresh, fresh], outputs: [ofFresh] }),
    behind: concat([
      nodeField({ op: 'MatMul', inputs: [leftPast, past], outputs: [ofPast] }),
      nodeField({ op: 'Add', inputs: [ofPast, ofFresh], outputs: [whole] }),
    ]),
  };
}
