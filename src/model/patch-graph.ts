/**
 * Makes tensors outputs of a graph without re-serialising it: protobuf merges messages that are concatenated, so a
 * ModelProto{graph{output…}} behind the file's bytes adds outputs. Where a node must first name an output, the graph's
 * field is split around that node, which merging puts together again in the same order.
 */
import type { OnnxModel } from './onnx-graph.ts';
import { concat, readFields, writeBytes } from './protobuf.ts';
import type { Link } from './residual-chain.ts';

const GRAPH = 7;
const NODE = 1;
const OUTPUT = 12;

/** The model's bytes with the taps among its outputs; the weights inside are copied once, as bytes. */
export function patchGraph(bytes: Uint8Array, model: OnnxModel, taps: readonly Link[]): Uint8Array {
  const known = new Set(model.graph.outputs);
  const outputs = taps
    .filter(({ tensor }) => !known.has(tensor))
    .map(({ tensor }) => writeBytes(OUTPUT, writeBytes(1, tensor)));
  const unnamed = taps.filter((tap) => tap.unnamed !== undefined);
  const base = unnamed.length === 0 ? [bytes] : splitGraph(bytes, unnamed);
  return concat([...base, writeBytes(GRAPH, concat(outputs))]);
}

function splitGraph(bytes: Uint8Array, unnamed: readonly Link[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (const field of readFields(bytes)) {
    if (field.number === GRAPH) parts.push(...renameOutputs(field.bytes, unnamed));
    else parts.push(bytes.subarray(field.start, field.end));
  }
  return parts;
}

function renameOutputs(graph: Uint8Array, unnamed: readonly Link[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let from = 0;
  const inOrder = unnamed.toSorted((a, b) => (a.unnamed?.start ?? 0) - (b.unnamed?.start ?? 0));
  for (const { unnamed: node, tensor } of inOrder) {
    if (!node) continue;
    const [field] = readFields(graph.subarray(node.start, node.end));
    if (!field) continue;
    // Outputs are a repeated field, so the missing ones are appended behind the node's own bytes.
    const blanks = Array.from({ length: 3 - node.outputs.length }, () => '');
    const names = [...blanks, tensor].map((name) => writeBytes(2, name));
    parts.push(writeBytes(GRAPH, graph.subarray(from, node.start)));
    parts.push(writeBytes(GRAPH, writeBytes(NODE, concat([field.bytes, ...names]))));
    from = node.end;
  }
  parts.push(writeBytes(GRAPH, graph.subarray(from)));
  return parts;
}
