/** Reads an ONNX ModelProto into nodes and names. Weights are not copied. */
import { concat, integers, readFields, text } from '../../onnx/protobuf.ts';

export interface GraphNode {
  op: string;
  /** Empty for ONNX's own operators. */
  domain: string;
  name: string;
  inputs: string[];
  outputs: string[];
  /** The local function that the node calls, if it calls one. */
  body?: LocalFunction;
  /** Integer attributes by name; `axis`, `num_heads` and the like. */
  integers: Map<string, number>;
  /** Sub-graphs by attribute name (`then_branch`, `else_branch`). */
  graphs: Map<string, Graph>;
  /** The module that a node came from, written by the dynamo exporter. */
  scopes: string;
  /** Position of the node's field in the graph's bytes. */
  start: number;
  end: number;
}

/** A function defined in the model file; the runtime replaces each call by its nodes. */
export interface LocalFunction {
  inputs: string[];
  outputs: string[];
  nodes: GraphNode[];
}

export interface Weight {
  name: string;
  dims: number[];
  /** TensorProto.DataType. */
  type: number;
  /** Path of the file that holds the data, relative to the graph's folder; undefined: inside the graph. */
  file: string | undefined;
}

/** Type of an input or output, as declared in the graph. */
export interface ValueType {
  /** TensorProto.DataType. */
  type: number;
  /** A number for a fixed size, a name for a free one, `?` for one without a name. */
  dims: (number | string)[];
}

export interface Graph {
  nodes: GraphNode[];
  weights: Map<string, Weight>;
  inputs: string[];
  /** Of inputs and outputs. */
  types: Map<string, ValueType>;
  outputs: string[];
  bytes: Uint8Array;
}

export interface OnnxModel {
  producer: string;
  opsets: Map<string, number>;
  graph: Graph;
}

const MODEL = { producerName: 2, producerVersion: 3, graph: 7, opset: 8, function: 25 };
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12 };
const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7, metadata: 9 };
const FUNCTION = { name: 1, input: 4, output: 5, node: 7, domain: 10 };
const ATTRIBUTE = { name: 1, i: 3, g: 6 };
const VALUE_TYPE = 2;
const TENSOR = { dims: 1, type: 2, name: 8, externalData: 13 };

export function readModel(bytes: Uint8Array): OnnxModel {
  let producer = '';
  const graphs: Uint8Array[] = [];
  const opsets = new Map<string, number>();
  const functions = new Map<string, LocalFunction>();
  for (const field of readFields(bytes)) {
    if (field.number === MODEL.producerName) producer = text(field.bytes);
    if (field.number === MODEL.producerVersion) producer += ` ${text(field.bytes)}`;
    if (field.number === MODEL.graph) graphs.push(field.bytes);
    if (field.number === MODEL.opset) readOpset(field.bytes, opsets);
    if (field.number === MODEL.function) readFunction(field.bytes, functions);
  }
  // A file that was extended by concatenation has its graph in several pieces.
  const [first = new Uint8Array(0), ...rest] = graphs;
  const graph = readGraph(rest.length > 0 ? concat(graphs) : first);
  if (functions.size > 0) {
    for (const { nodes } of [graph, ...functions.values()]) giveBodies(nodes, functions);
  }
  return { producer, opsets, graph };
}

function readFunction(bytes: Uint8Array, functions: Map<string, LocalFunction>): void {
  const local: LocalFunction = { inputs: [], outputs: [], nodes: [] };
  let [name, domain] = ['', ''];
  for (const field of readFields(bytes)) {
    if (field.number === FUNCTION.name) name = text(field.bytes);
    else if (field.number === FUNCTION.domain) domain = text(field.bytes);
    else if (field.number === FUNCTION.input) local.inputs.push(text(field.bytes));
    else if (field.number === FUNCTION.output) local.outputs.push(text(field.bytes));
    else if (field.number === FUNCTION.node) local.nodes.push(readNode(field.bytes, field));
  }
  functions.set(`${domain} ${name}`, local);
}

function giveBodies(nodes: readonly GraphNode[], functions: ReadonlyMap<string, LocalFunction>): void {
  for (const node of nodes) {
    const body = functions.get(`${node.domain} ${node.op}`);
    if (body) node.body = body;
    for (const branch of node.graphs.values()) giveBodies(branch.nodes, functions);
  }
}

function emptyGraph(): Graph {
  return {
    nodes: [],
    weights: new Map(),
    inputs: [],
    types: new Map(),
    outputs: [],
    bytes: new Uint8Array(0),
  };
}

function readOpset(bytes: Uint8Array, opsets: Map<string, number>): void {
  let domain = '';
  let version = 0;
  for (const field of readFields(bytes)) {
    if (field.number === 1) domain = text(field.bytes);
    if (field.number === 2) version = field.value;
  }
  opsets.set(domain || 'ai.onnx', version);
}

function readGraph(bytes: Uint8Array): Graph {
  const graph = { ...emptyGraph(), bytes };
  for (const field of readFields(bytes)) {
    if (field.number === GRAPH.node) graph.nodes.push(readNode(field.bytes, field));
    else if (field.number === GRAPH.input) graph.inputs.push(readValue(field.bytes, graph.types));
    else if (field.number === GRAPH.output) graph.outputs.push(readValue(field.bytes, graph.types));
    else if (field.number === GRAPH.initializer) {
      const weight = readWeight(field.bytes);
      graph.weights.set(weight.name, weight);
    }
  }
  return graph;
}

/** @returns the name */
function readValue(bytes: Uint8Array, types: Map<string, ValueType>): string {
  const name = firstText(bytes);
  for (const field of readFields(bytes)) {
    if (field.number === VALUE_TYPE) types.set(name, readType(field.bytes));
  }
  return name;
}

/** TypeProto{tensor_type{elem_type, shape{dim{dim_value or dim_param}}}}; a value that is not a tensor has type 0. */
function readType(bytes: Uint8Array): ValueType {
  const type: ValueType = { type: 0, dims: [] };
  const tensors = [...readFields(bytes)].filter(({ number }) => number === 1);
  for (const field of tensors.flatMap((tensor) => [...readFields(tensor.bytes)])) {
    if (field.number === 1) type.type = field.value;
    else if (field.number === 2) type.dims = [...readFields(field.bytes)].map((dim) => readDim(dim.bytes));
  }
  return type;
}

function readDim(bytes: Uint8Array): number | string {
  for (const field of readFields(bytes)) {
    if (field.number === 1) return field.value;
    if (field.number === 2) return text(field.bytes);
  }
  return '?';
}

/** The name of a ValueInfoProto, its first field. */
function firstText(bytes: Uint8Array): string {
  for (const field of readFields(bytes)) if (field.number === 1) return text(field.bytes);
  return '';
}

function readNode(bytes: Uint8Array, place: { start: number; end: number }): GraphNode {
  const node: GraphNode = {
    op: '',
    domain: '',
    name: '',
    inputs: [],
    outputs: [],
    integers: new Map(),
    graphs: new Map(),
    scopes: '',
    start: place.start,
    end: place.end,
  };
  for (const field of readFields(bytes)) {
    if (field.number === NODE.input) node.inputs.push(text(field.bytes));
    else if (field.number === NODE.output) node.outputs.push(text(field.bytes));
    else if (field.number === NODE.name) node.name = text(field.bytes);
    else if (field.number === NODE.op) node.op = text(field.bytes);
    else if (field.number === NODE.domain) node.domain = text(field.bytes);
    else if (field.number === NODE.attribute) readAttribute(field.bytes, node);
    else if (field.number === NODE.metadata) readScopes(field.bytes, node);
  }
  return node;
}

function readAttribute(bytes: Uint8Array, node: GraphNode): void {
  let name = '';
  for (const field of readFields(bytes)) {
    if (field.number === ATTRIBUTE.name) name = text(field.bytes);
    else if (field.number === ATTRIBUTE.i) node.integers.set(name, field.value);
    else if (field.number === ATTRIBUTE.g) node.graphs.set(name, readGraph(field.bytes));
  }
}

function readScopes(bytes: Uint8Array, node: GraphNode): void {
  const [key, value] = readPair(bytes);
  if (key === 'pkg.torch.onnx.name_scopes') node.scopes = value;
}

function readPair(bytes: Uint8Array): [key: string, value: string] {
  const pair: [string, string] = ['', ''];
  for (const field of readFields(bytes)) pair[field.number === 1 ? 0 : 1] = text(field.bytes);
  return pair;
}

function readWeight(bytes: Uint8Array): Weight {
  const weight: Weight = { name: '', dims: [], type: 0, file: undefined };
  for (const field of readFields(bytes)) {
    if (field.number === TENSOR.dims) weight.dims.push(...integers(field));
    else if (field.number === TENSOR.type) weight.type = field.value;
    else if (field.number === TENSOR.name) weight.name = text(field.bytes);
    else if (field.number === TENSOR.externalData) {
      const [key, value] = readPair(field.bytes);
      if (key === 'location') weight.file = value;
    }
  }
  return weight;
}
