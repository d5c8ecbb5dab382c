/** The one graph that the backend runs, written as a ModelProto by hand: C = A · B, A · Bᵀ or Aᵀ · B, sizes open. */

export interface MatmulGraph {
  elements: 'float64' | 'float32';
  /** The side that is transposed, if one is. */
  transposed?: 'a' | 'b';
}

const IR_VERSION = 8;
const OPSET = 13;
const ELEMENT_TYPE = { float32: 1, float64: 11 };
const ATTRIBUTE_INT = 2;

/** Bytes of a model with inputs `a` and `b` and output `c`. */
export function writeMatmulGraph({ elements, transposed }: MatmulGraph): Uint8Array {
  const node = [
    text(1, 'a'),
    text(1, 'b'),
    text(2, 'c'),
    text(4, 'Gemm'),
    message(5, [text(1, 'transA'), integer(3, transposed === 'a' ? 1 : 0), integer(20, ATTRIBUTE_INT)]),
    message(5, [text(1, 'transB'), integer(3, transposed === 'b' ? 1 : 0), integer(20, ATTRIBUTE_INT)]),
  ];
  const value = (name: string): number[] =>
    [text(1, name), message(2, [message(1, [integer(1, ELEMENT_TYPE[elements]), openShape(name)])])].flat();
  const graph = [
    message(1, node),
    text(2, 'matmul'),
    field(11, value('a')),
    field(11, value('b')),
    field(12, value('c')),
  ];
  return Uint8Array.from([integer(1, IR_VERSION), message(7, graph), message(8, [integer(2, OPSET)])].flat());
}

/** A two-dimensional shape whose sizes are names. */
function openShape(name: string): number[] {
  const dimension = (axis: string): number[] => message(1, [text(2, `${name}_${axis}`)]);
  return message(2, [dimension('rows'), dimension('cols')]);
}

function message(id: number, fields: number[][]): number[] {
  return field(id, fields.flat());
}

function text(id: number, value: string): number[] {
  return field(id, [...new TextEncoder().encode(value)]);
}

/** Length-delimited field (wire type 2). */
function field(id: number, bytes: number[]): number[] {
  return [...varint(id * 8 + 2), ...varint(bytes.length), ...bytes];
}

/** Varint field (wire type 0). */
function integer(id: number, value: number): number[] {
  return [...varint(id * 8), ...varint(value)];
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))];
}
