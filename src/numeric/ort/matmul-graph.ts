/** The graphs that the backend runs, written as ModelProtos by hand: several of C = A · B, A · Bᵀ or Aᵀ · B side by side, sizes open. */

export interface MatmulGraph {
  elements: 'float64' | 'float32';
  /** The side that is transposed, if one is. */
  transposed?: 'a' | 'b';
  /** How many products. */
  count: number;
}

const IR_VERSION = 8;
const OPSET = 13;
const ELEMENT_TYPE = { float32: 1, float64: 11 };
const ATTRIBUTE_INT = 2;

/** Bytes of a model with inputs `a0`, `b0`, `a1` … and outputs `c0`, `c1` … */
export function writeMatmulGraph({ elements, transposed, count }: MatmulGraph): Uint8Array {
  const places = Array.from({ length: count }, (_, place) => place);
  const flag = (name: string, side: 'a' | 'b'): number[] =>
    message(5, [text(1, name), integer(3, transposed === side ? 1 : 0), integer(20, ATTRIBUTE_INT)]);
  const node = (place: number): number[] =>
    message(1, [
      text(1, `a${place}`),
      text(1, `b${place}`),
      text(2, `c${place}`),
      text(4, 'Gemm'),
      flag('transA', 'a'),
      flag('transB', 'b'),
    ]);
  const value = (name: string): number[] =>
    [text(1, name), message(2, [message(1, [integer(1, ELEMENT_TYPE[elements]), openShape(name)])])].flat();
  const graph = [
    ...places.map(node),
    text(2, 'matmul'),
    ...places.flatMap((place) => [field(11, value(`a${place}`)), field(11, value(`b${place}`))]),
    ...places.map((place) => field(12, value(`c${place}`))),
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
