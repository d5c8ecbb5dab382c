/** Writes ONNX files for tests and benchmarks: as much of the format as the graphs built here use. */
import { concat, writeBytes, writeInteger, writeVarint } from '../../src/model/protobuf.ts';

export const FLOAT = 1;
export const UINT8 = 2;
export const INT32 = 6;
export const INT64 = 7;
export const BOOL = 9;
export const FLOAT16 = 10;
export const BFLOAT16 = 16;

/** The upper halves of float32 numbers. */
export class BFloat16Array extends Uint16Array {}

export type Attribute = number | string | number[] | { float: number } | { graph: Uint8Array };

export interface NodeSpec {
  op: string;
  inputs: string[];
  outputs: string[];
  attributes?: Record<string, Attribute>;
  domain?: string;
  name?: string;
  /** Modules it comes from, as the dynamo exporter notes them. */
  scopes?: string;
}

export interface External {
  file: string;
  offset: number;
}

export function node(spec: NodeSpec): Uint8Array {
  return concat([
    ...spec.inputs.map((input) => writeBytes(1, input)),
    ...spec.outputs.map((output) => writeBytes(2, output)),
    writeBytes(3, spec.name ?? `${spec.op}:${spec.outputs[0] ?? ''}`),
    writeBytes(4, spec.op),
    ...Object.entries(spec.attributes ?? {}).map(([name, value]) => writeBytes(5, attribute(name, value))),
    ...(spec.domain === undefined ? [] : [writeBytes(7, spec.domain)]),
    ...(spec.scopes === undefined ? [] : [writeBytes(9, pair('pkg.torch.onnx.name_scopes', spec.scopes))]),
  ]);
}

function pair(key: string, value: string): Uint8Array {
  return concat([writeBytes(1, key), writeBytes(2, value)]);
}

function attribute(name: string, value: Attribute): Uint8Array {
  const parts = [writeBytes(1, name)];
  if (typeof value === 'number') parts.push(signed(3, value), writeInteger(20, 2));
  else if (typeof value === 'string') parts.push(writeBytes(4, value), writeInteger(20, 3));
  else if (Array.isArray(value)) parts.push(...value.map((item) => signed(8, item)), writeInteger(20, 7));
  else if ('float' in value) parts.push(fixed32(2, value.float), writeInteger(20, 1));
  else parts.push(writeBytes(6, value.graph), writeInteger(20, 5));
  return concat(parts);
}

/** A negative integer is its two's complement in ten bytes. */
function signed(number: number, value: number): Uint8Array {
  if (value >= 0) return writeInteger(number, value);
  const bytes = [writeVarint(number * 8)];
  let rest = BigInt.asUintN(64, BigInt(value));
  const body: number[] = [];
  for (; rest >= 128n; rest >>= 7n) body.push(Number(rest & 127n) | 128);
  body.push(Number(rest));
  return concat([...bytes, Uint8Array.from(body)]);
}

function fixed32(number: number, value: number): Uint8Array {
  return concat([writeVarint(number * 8 + 5), new Uint8Array(Float32Array.of(value).buffer)]);
}

type Data = Float32Array | BigInt64Array | Int32Array | Uint8Array | Uint16Array;

const TYPES = new Map<unknown, number>([
  [Float32Array, FLOAT],
  [BigInt64Array, INT64],
  [Int32Array, INT32],
  [Uint8Array, UINT8],
  [Uint16Array, FLOAT16],
  [BFloat16Array, BFLOAT16],
]);

export function tensor(
  name: string,
  dims: number[],
  data: Data | { external: External; bytes: number },
): Uint8Array {
  const head = dims.map((dim) => writeInteger(1, dim));
  if ('external' in data) {
    const { file, offset } = data.external;
    const pairs = { location: file, offset: String(offset), length: String(data.bytes) };
    const places = Object.entries(pairs).map(([key, value]) =>
      writeBytes(13, concat([writeBytes(1, key), writeBytes(2, value)])),
    );
    return concat([...head, writeInteger(2, FLOAT), writeBytes(8, name), ...places, writeInteger(14, 1)]);
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const type = TYPES.get(data.constructor) ?? FLOAT;
  return concat([...head, writeInteger(2, type), writeBytes(8, name), writeBytes(9, bytes)]);
}

export function valueInfo(name: string, type: number, shape: (number | string)[]): Uint8Array {
  const dims = shape.map((size) =>
    writeBytes(1, typeof size === 'number' ? writeInteger(1, size) : writeBytes(2, size)),
  );
  const tensorType = concat([writeInteger(1, type), writeBytes(2, concat(dims))]);
  return concat([writeBytes(1, name), writeBytes(2, writeBytes(1, tensorType))]);
}

export interface GraphSpec {
  nodes: Uint8Array[];
  weights: Uint8Array[];
  inputs: Uint8Array[];
  outputs: Uint8Array[];
}

export function graph(spec: GraphSpec): Uint8Array {
  return concat([
    ...spec.nodes.map((bytes) => writeBytes(1, bytes)),
    writeBytes(2, 'graph'),
    ...spec.weights.map((bytes) => writeBytes(5, bytes)),
    ...spec.inputs.map((bytes) => writeBytes(11, bytes)),
    ...spec.outputs.map((bytes) => writeBytes(12, bytes)),
  ]);
}

export interface ModelSpec {
  producer: string;
  /** Version of ONNX's own operators. */
  opset?: number;
  functions?: readonly FunctionSpec[];
}

export function model(spec: GraphSpec, { producer, opset = 17, functions = [] }: ModelSpec): Uint8Array {
  const domains = new Set(['com.microsoft', ...functions.map(({ domain }) => domain)]);
  return concat([
    writeInteger(1, 10),
    writeBytes(2, producer),
    writeBytes(7, graph(spec)),
    writeBytes(8, operators('', opset)),
    ...[...domains].map((domain) => writeBytes(8, operators(domain, 1))),
    ...functions.map((local) => writeBytes(25, functionOf(local, opset))),
  ]);
}

function operators(domain: string, version: number): Uint8Array {
  return concat([writeBytes(1, domain), writeInteger(2, version)]);
}

export interface FunctionSpec {
  name: string;
  domain: string;
  inputs: string[];
  outputs: string[];
  nodes: readonly NodeSpec[];
}

function functionOf({ name, domain, inputs, outputs, nodes }: FunctionSpec, opset: number): Uint8Array {
  return concat([
    writeBytes(1, name),
    ...inputs.map((input) => writeBytes(4, input)),
    ...outputs.map((output) => writeBytes(5, output)),
    ...nodes.map((spec) => writeBytes(7, node(spec))),
    writeBytes(9, operators('', opset)),
    ...[...new Set(nodes.flatMap((spec) => spec.domain ?? []))].map((used) =>
      writeBytes(9, operators(used, 1)),
    ),
    writeBytes(10, domain),
  ]);
}
