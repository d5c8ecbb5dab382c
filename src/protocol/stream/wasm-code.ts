/**
 * The part of WebAssembly's binary format that `float16-vectors.ts` needs: instructions as functions of their
 * operands' code, and a module of one function over one page of memory. It does not know what is computed.
 */

/** Bytes of instructions. */
export type Code = readonly number[];

/** Magic number and version, 1. */
const HEADER = [...Buffer.from('\0asm'), 1, 0, 0, 0];
const I32 = 0x7f;
const V128 = 0x7b;
const NOTHING = 0x40;

// Local variables and control flow.
export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
/** Runs `body`, then repeats it while `again` is not 0. */
export const loop = (body: Code, again: Code): Code => [0x03, NOTHING, ...body, ...again, 0x0d, 0, 0x0b];

// 32-bit integers.
export const number = (value: number): Code => [0x41, ...signed(value)];
export const plus = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const differ = (a: Code, b: Code): Code => [...a, ...b, 0x47];

// Vectors of four 32-bit lanes.
export const load = (address: Code, offset = 0): Code => [
  ...address,
  ...vector(0x00),
  0,
  ...unsigned(offset),
];
export const store = (address: Code, value: Code, offset = 0): Code => [
  ...address,
  ...value,
  ...vector(0x0b),
  0,
  ...unsigned(offset),
];
export const splat = (value: number): Code => [...number(value), ...vector(0x11)];
export const isBelow = (a: Code, b: Code): Code => [...a, ...b, ...vector(0x39)];
export const isAbove = (a: Code, b: Code): Code => [...a, ...b, ...vector(0x3b)];
export const and = (a: Code, b: Code): Code => [...a, ...b, ...vector(0x4e)];
export const or = (a: Code, b: Code): Code => [...a, ...b, ...vector(0x50)];
/** Bits of `a` where the mask is 1, of `b` elsewhere. */
export const choose = (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...vector(0x52)];
/** 1 if any bit is set, else 0. */
export const any = (a: Code): Code => [...a, ...vector(0x53)];
/** Packs two vectors of 32-bit lanes into one of eight 16-bit lanes. */
export const narrow = (a: Code, b: Code): Code => [...a, ...b, ...vector(0x86)];
export const shiftRight = (a: Code, bits: number): Code => [...a, ...number(bits), ...vector(0xad)];
export const add = (a: Code, b: Code): Code => [...a, ...b, ...vector(0xae)];
export const subtract = (a: Code, b: Code): Code => [...a, ...b, ...vector(0xb1)];
export const larger = (a: Code, b: Code): Code => [...a, ...b, ...vector(0xb8)];
/** Adds the lanes as float32. */
export const addFloats = (a: Code, b: Code): Code => [...a, ...b, ...vector(0xe4)];

/**
 * A module that exports one page as `memory`, and a function from number to number as `run`. Its local 0 is the
 * argument; then follow `numbers` numbers and `vectors` vectors, all 0.
 */
export function moduleOf(of: { numbers: number; vectors: number; body: Code }): Uint8Array<ArrayBuffer> {
  const { numbers, vectors, body } = of;
  const locals = list([
    [...unsigned(numbers), I32],
    [...unsigned(vectors), V128],
  ]);
  const run = [...locals, ...body, 0x0b];
  return Uint8Array.from([
    ...HEADER,
    ...section(1, [[0x60, ...list([[I32]]), ...list([[I32]])]]),
    ...section(3, [[0]]),
    ...section(5, [[1, 1, 1]]),
    ...section(7, [
      [...text('memory'), 2, 0],
      [...text('run'), 0, 0],
    ]),
    ...section(10, [[...unsigned(run.length), ...run]]),
  ]);
}

function section(id: number, items: Code[]): Code {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
}

const list = (items: Code[]): Code => [...unsigned(items.length), ...items.flat()];
const text = (value: string): Code => list([...Buffer.from(value)].map((byte) => [byte]));
const vector = (instruction: number): Code => [0xfd, ...unsigned(instruction)];

/** LEB128: seven bits a byte, lowest first; the eighth bit says that more follow. */
function unsigned(value: number): Code {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): Code {
  const isLast = value >= -0x40 && value < 0x40;
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
