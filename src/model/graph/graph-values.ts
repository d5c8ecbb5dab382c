/** Describes a graph's inputs and outputs as its file states them: name, data type and shape. */
import type { ValueInfo } from '../runtime/graph-io.ts';
import type { Graph } from './onnx-graph.ts';

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

export function describeValues({ types }: Graph, names: readonly string[]): ValueInfo[] {
  return names.map((name) => {
    const { type, dims } = types.get(name) ?? { type: undefined, dims: [] };
    return { name, type: type === undefined ? 'of no stated type' : nameType(type), shape: dims };
  });
}
