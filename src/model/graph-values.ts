/** Names, data types and shapes of a graph's inputs and outputs, as its file states them. It opens no session. */
import type { ValueInfo } from './graph-io.ts';
import { readFields, text } from './protobuf.ts';

const GRAPH = { input: 11, output: 12 };
/** ValueInfoProto, TypeProto, its Tensor, TensorShapeProto and that one's Dimension. */
const VALUE = { name: 1, type: 2 };
const TENSOR_TYPE = 1;
const TENSOR = { elementType: 1, shape: 2 };
const DIMENSION = 1;
const SIZE = { value: 1, name: 2 };

/** TensorProto.DataType. */
const TYPE_NAMES: Readonly<Record<number, string>> = {
  1: 'float32',
  2: 'uint8',
  3: 'int8',
  6: 'int32',
  7: 'int64',
  9: 'bool',
  10: 'float16',
  11: 'float64',
  16: 'bfloat16',
  21: 'uint4',
  22: 'int4',
};

export function nameType(type: number): string {
  return TYPE_NAMES[type] ?? `type ${type}`;
}

export interface GraphValues {
  inputs: ValueInfo[];
  outputs: ValueInfo[];
}

/** @param graph bytes of a GraphProto */
export function readValues(graph: Uint8Array): GraphValues {
  const values: GraphValues = { inputs: [], outputs: [] };
  for (const field of readFields(graph)) {
    if (field.number === GRAPH.input) values.inputs.push(readValue(field.bytes));
    if (field.number === GRAPH.output) values.outputs.push(readValue(field.bytes));
  }
  return values;
}

function readValue(bytes: Uint8Array): ValueInfo {
  const value = { name: '', type: 'of no stated type', shape: [] as (number | string)[] };
  for (const field of readFields(bytes)) {
    if (field.number === VALUE.name) value.name = text(field.bytes);
    if (field.number !== VALUE.type) continue;
    for (const type of readFields(field.bytes)) {
      if (type.number === TENSOR_TYPE) Object.assign(value, readTensorType(type.bytes));
    }
  }
  return value;
}

function readTensorType(bytes: Uint8Array): Pick<ValueInfo, 'type' | 'shape'> {
  const tensor = { type: nameType(0), shape: [] as (number | string)[] };
  for (const field of readFields(bytes)) {
    if (field.number === TENSOR.elementType) tensor.type = nameType(field.value);
    if (field.number !== TENSOR.shape) continue;
    for (const dimension of readFields(field.bytes)) {
      if (dimension.number === DIMENSION) tensor.shape.push(readSize(dimension.bytes));
    }
  }
  return tensor;
}

/** A number, the name of a free dimension, or `?` for one without a name. */
function readSize(bytes: Uint8Array): number | string {
  for (const field of readFields(bytes)) {
    if (field.number === SIZE.value) return field.value;
    if (field.number === SIZE.name) return text(field.bytes);
  }
  return '?';
}
