/** ONNX models of the backend: several products C = A · B, A · Bᵀ or Aᵀ · B side by side, with open sizes. */
import { concat, writeBytes, writeInteger } from '../../onnx/protobuf.ts';

export interface MatmulGraph {
  elements: 'float64' | 'float32';
  /** The transposed operand, if any. */
  transposed?: 'a' | 'b';
  /** Number of products in the graph. */
  count: number;
}

const IR_VERSION = 8;
const OPSET = 13;
const ELEMENT_TYPE = { float32: 1, float64: 11 };
const ATTRIBUTE_INT = 2;

/** The serialised model, with inputs `a0`, `b0`, `a1`, … and outputs `c0`, `c1`, … */
export function writeMatmulGraph({ elements, transposed, count }: MatmulGraph): Uint8Array {
  const places = Array.from({ length: count }, (_, place) => place);
  const flag = (name: string, side: 'a' | 'b'): Uint8Array =>
    message(5, [
      writeBytes(1, name),
      writeInteger(3, transposed === side ? 1 : 0),
      writeInteger(20, ATTRIBUTE_INT),
    ]);
  const node = (place: number): Uint8Array =>
    message(1, [
      writeBytes(1, `a${place}`),
      writeBytes(1, `b${place}`),
      writeBytes(2, `c${place}`),
      writeBytes(4, 'Gemm'),
      flag('transA', 'a'),
      flag('transB', 'b'),
    ]);
  const value = (field: number, name: string): Uint8Array => {
    const tensor = message(1, [writeInteger(1, ELEMENT_TYPE[elements]), openShape(name)]);
    return message(field, [writeBytes(1, name), message(2, [tensor])]);
  };
  const graph = [
    ...places.map(node),
    writeBytes(2, 'matmul'),
    ...places.flatMap((place) => [value(11, `a${place}`), value(11, `b${place}`)]),
    ...places.map((place) => value(12, `c${place}`)),
  ];
  return concat([writeInteger(1, IR_VERSION), message(7, graph), message(8, [writeInteger(2, OPSET)])]);
}

/** A two-dimensional shape with symbolic sizes. */
function openShape(name: string): Uint8Array {
  const dimension = (axis: string): Uint8Array => message(1, [writeBytes(2, `${name}_${axis}`)]);
  return message(2, [dimension('rows'), dimension('cols')]);
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return writeBytes(field, concat(parts));
}
