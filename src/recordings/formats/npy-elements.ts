/** Reads elements of .npy files by kind and size as NumPy writes them (`f8` is a float of 8 bytes). */

export type ElementReader<T> = (view: DataView, at: number, littleEndian: boolean) => T;

/** Reads a value as the nearest double. */
export const ELEMENTS: Record<string, ElementReader<number>> = {
  f2: (view, at, little) => halfToNumber(view.getUint16(at, little)),
  f4: (view, at, little) => view.getFloat32(at, little),
  f8: (view, at, little) => view.getFloat64(at, little),
  i1: (view, at) => view.getInt8(at),
  i2: (view, at, little) => view.getInt16(at, little),
  i4: (view, at, little) => view.getInt32(at, little),
  i8: (view, at, little) => Number(view.getBigInt64(at, little)),
  u1: (view, at) => view.getUint8(at),
  u2: (view, at, little) => view.getUint16(at, little),
  u4: (view, at, little) => view.getUint32(at, little),
  u8: (view, at, little) => Number(view.getBigUint64(at, little)),
  b1: (view, at) => view.getUint8(at),
};

/** Reads a label exactly: a whole number or a text. Undefined for other kinds of elements. */
export function labelReader(
  type: string,
  itemBytes: number,
): ElementReader<number | bigint | string> | undefined {
  if (type === 'i8') return (view, at, little) => exact(view.getBigInt64(at, little));
  if (type === 'u8') return (view, at, little) => exact(view.getBigUint64(at, little));
  if (type.startsWith('S'))
    return (view, at) => untilZeros(codes(view, { at, itemBytes, unit: 1, little: true }));
  if (type.startsWith('U'))
    return (view, at, little) => untilZeros(codes(view, { at, itemBytes, unit: 4, little }));
  return ELEMENTS[type];
}

const exact = (value: bigint): number | bigint => {
  const near = Number(value);
  return Number.isSafeInteger(near) ? near : value;
};

interface Text {
  at: number;
  itemBytes: number;
  unit: 1 | 4;
  little: boolean;
}

function codes(view: DataView, { at, itemBytes, unit, little }: Text): number[] {
  return Array.from({ length: itemBytes / unit }, (_, k) =>
    unit === 1 ? view.getUint8(at + k) : view.getUint32(at + k * unit, little),
  );
}

/** NumPy pads shorter texts with zeros. */
const untilZeros = (units: number[]): string =>
  units
    .slice(0, units.findLastIndex((unit) => unit !== 0) + 1)
    .map((unit) => String.fromCodePoint(Math.min(unit, 0x10ffff)))
    .join('');

const KINDS: Record<string, string> = {
  c: 'complex numbers',
  O: 'Python objects',
  U: 'text',
  S: 'text',
  M: 'dates',
  m: 'time spans',
  V: 'raw bytes',
  f: 'floats of a size that only some machines have',
};

/** Why elements of a type cannot be read as numbers. */
export const whyUnsupported = (type: string): string =>
  `holds elements of a type that is not supported (${type}${KINDS[type[0] ?? ''] ? `: ${KINDS[type[0] ?? '']}` : ''})`;

/** Value of an IEEE half-precision float. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}
