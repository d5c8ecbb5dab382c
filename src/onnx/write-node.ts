/**
 * Writes the ONNX messages that are added to a graph: nodes with integer attributes, inputs, small constants.
 */
import { concat, writeBytes, writeInteger } from './protobuf.ts';

const FIELD = { node: 1, initializer: 5, input: 11, output: 12 };
const INT64 = 7;

export interface NewNode {
  op: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes?: Readonly<Record<string, number | readonly number[]>>;
}

/** A node as a field of the graph. */
export function nodeField({ op, inputs, outputs, attributes = {} }: NewNode): Uint8Array {
  const parts = [
    ...inputs.map((input) => writeBytes(1, input)),
    ...outputs.map((output) => writeBytes(2, output)),
    writeBytes(3, outputs[0] ?? op),
    writeBytes(4, op),
    ...Object.entries(attributes).map(([name, value]) => writeBytes(5, attribute(name, value))),
  ];
  return writeBytes(FIELD.node, concat(parts));
}

/** An attribute. AttributeProto.type is 2 for INT and 7 for INTS. */
function attribute(name: string, value: number | readonly number[]): Uint8Array {
  const body =
    typeof value === 'number'
      ? [writeInteger(3, value), writeInteger(20, 2)]
      : [...value.map((item) => writeInteger(8, item)), writeInteger(20, 7)];
  return concat([writeBytes(1, name), ...body]);
}

/** A constant of 64-bit integers, one-dimensional unless `dims` is given; [] makes a scalar. */
export function integersField(
  name: string,
  values: readonly number[],
  dims: readonly number[] = [values.length],
): Uint8Array {
  const data = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
  const shape = dims.map((size) => writeInteger(1, size));
  return writeBytes(
    FIELD.initializer,
    concat([...shape, writeInteger(2, INT64), writeBytes(8, name), writeBytes(9, data)]),
  );
}

/**
 * An input of the graph.
 * @param type TensorProto.DataType
 */
export function inputField(name: string, type: number, dims: readonly (number | string)[]): Uint8Array {
  const shape = dims.map((dim) => {
    return writeBytes(1, typeof dim === 'number' ? writeInteger(1, dim) : writeBytes(2, dim));
  });
  const tensor = concat([writeInteger(1, type), writeBytes(2, concat(shape))]);
  return writeBytes(FIELD.input, concat([writeBytes(1, name), writeBytes(2, writeBytes(1, tensor))]));
}

/** Outputs of the graph; a type is not needed. */
export function outputFields(names: readonly string[]): Uint8Array {
  return concat(names.map((name) => writeBytes(FIELD.output, writeBytes(1, name))));
}
