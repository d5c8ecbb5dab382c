/**
 * Makes tensors outputs of a graph without serialising it again. Protobuf merges concatenated messages, so a
 * ModelProto{graph{output…}} appended to the file's bytes adds outputs. If a node must change, the graph's field is
 * split around that node; merging restores the order.
 */
import type { GraphNode } from './onnx-graph.ts';
import { concat, readFields, writeBytes } from '../../onnx/protobuf.ts';
import { outputFields } from '../../onnx/write-node.ts';

const GRAPH = 7;
const NODE = 1;

/** Replaces the content of one node. */
export interface NodeEdit {
  node: GraphNode;
  /** The new NodeProto. */
  content: Uint8Array;
  /** Graph fields to insert before the node. */
  before?: Uint8Array;
  /** Fields of the graph that stand behind it. */
  behind?: Uint8Array;
}

export interface Patch {
  /** Tensors that become outputs. */
  outputs: readonly string[];
  edits: readonly NodeEdit[];
  /** Graph fields to insert before the graph's own. */
  before?: Uint8Array;
  /** Graph fields to append to the graph's own. */
  after?: Uint8Array;
}

/**
 * Applies a patch to the file's bytes. Spare room in the buffer behind `bytes` is used, if there is enough.
 * @param graph the content of the file's graph
 */
export function patchGraph(bytes: Uint8Array, graph: Uint8Array, patch: Patch): Uint8Array {
  const { outputs, edits, before, after = NOTHING } = patch;
  const added = writeBytes(GRAPH, concat([after, outputFields(outputs)]));
  if (edits.length === 0 && !before) return append(bytes, added);
  const pieces = [writeBytes(GRAPH, before ?? NOTHING), ...replaceNodes(graph, edits, GRAPH)];
  return concat([...splitGraph(bytes, pieces), added]);
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** Appends in the buffer's spare room, or in a new buffer. */
function append(bytes: Uint8Array, added: Uint8Array): Uint8Array {
  const roomBytes = bytes.buffer.byteLength - bytes.byteOffset - bytes.length;
  if (roomBytes < added.length) return concat([bytes, added]);
  const whole = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length + added.length);
  whole.set(added, bytes.length);
  return whole;
}

function splitGraph(bytes: Uint8Array, graph: readonly Uint8Array[]): Uint8Array[] {
  const around = [...readFields(bytes)].filter(({ number }) => number !== GRAPH);
  return [...around.map(({ start, end }) => bytes.subarray(start, end)), ...graph];
}

/** The graph with the nodes replaced, in pieces, each a field with the given number. */
export function replaceNodes(graph: Uint8Array, edits: readonly NodeEdit[], field: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let from = 0;
  for (const edit of edits.toSorted((a, b) => a.node.start - b.node.start)) {
    const { node, content, before = NOTHING, behind = NOTHING } = edit;
    parts.push(writeBytes(field, concat([graph.subarray(from, node.start), before])));
    parts.push(writeBytes(field, concat([writeBytes(NODE, content), behind])));
    from = node.end;
  }
  parts.push(writeBytes(field, graph.subarray(from)));
  return parts;
}

/** The bytes of a node's content in the graph. */
export function nodeContent(graph: Uint8Array, node: GraphNode): Uint8Array {
  for (const field of readFields(graph.subarray(node.start, node.end))) return field.bytes;
  return new Uint8Array(0);
}

const NODE_INPUT = 1;
const NODE_OUTPUT = 2;

/** A node's content with other inputs, and other outputs where they are given. */
export function withNames(
  content: Uint8Array,
  { inputs, outputs }: { inputs: readonly string[]; outputs?: readonly string[] },
): Uint8Array {
  const isReplaced = (field: number): boolean =>
    field === NODE_INPUT || (field === NODE_OUTPUT && outputs !== undefined);
  const rest = [...readFields(content)].filter(({ number }) => !isReplaced(number));
  return concat([
    ...inputs.map((name) => writeBytes(NODE_INPUT, name)),
    ...(outputs ?? []).map((name) => writeBytes(NODE_OUTPUT, name)),
    ...rest.map(({ start, end }) => content.subarray(start, end)),
  ]);
}
