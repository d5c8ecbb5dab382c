/** Half precision: round to nearest, ties to even, by integer arithmetic; Node 20 has no Float16Array. */

const MAGNITUDE = 0x7fffffff;
/** From this bit pattern on (65520) a float32 rounds to infinity in float16. */
const OVERFLOW_BITS = 0x477ff000;
const SMALLEST_NORMAL_BITS = 0x38800000;
const ABOVE_HALF_OF_SMALLEST_BITS = 0x33000001;

/**
 * Writes the values as little-endian float16; false when one of them overflows or is not finite. `halves` starts at a
 * multiple of 4 bytes. An agent's dearest loop: its numbers are signed, since others do not stay integers in the machine,
 * and two halves are stored at a time.
 */
export function toF16(values: Float32Array, halves: Uint16Array): boolean {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  const pairs = new Int32Array(halves.buffer, halves.byteOffset, values.length >> 1);
  /** Negative as soon as one magnitude is above the largest that fits. */
  let room = 0;
  for (let i = 0; i < pairs.length; i++) {
    const low = bits[2 * i] as number;
    const high = bits[2 * i + 1] as number;
    room |= (OVERFLOW_BITS - 1 - (low & MAGNITUDE)) | (OVERFLOW_BITS - 1 - (high & MAGNITUDE));
    pairs[i] = half(low) | (half(high) << 16);
  }
  if (values.length % 2 === 1) {
    const last = bits[values.length - 1] as number;
    room |= OVERFLOW_BITS - 1 - (last & MAGNITUDE);
    halves[values.length - 1] = half(last);
  }
  return room >= 0;
}

function half(x: number): number {
  const magnitude = x & MAGNITUDE;
  const sign = (x >>> 16) & 0x8000;
  return magnitude >= SMALLEST_NORMAL_BITS
    ? sign | ((magnitude - 0x38000000 + 0xfff + ((magnitude >>> 13) & 1)) >>> 13)
    : sign | subnormalHalf(magnitude);
}

function subnormalHalf(magnitude: number): number {
  if (magnitude < ABOVE_HALF_OF_SMALLEST_BITS) return 0;
  const shift = 126 - (magnitude >>> 23);
  const mantissa = (magnitude & 0x7fffff) | 0x800000;
  const half = mantissa >>> shift;
  const rest = mantissa & ((1 << shift) - 1);
  const tie = 1 << (shift - 1);
  return half + (rest > tie || (rest === tie && (half & 1) === 1) ? 1 : 0);
}

export function fromF16(halves: Uint16Array): Float32Array {
  const table = (widened ??= widenAll());
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = table[halves[i] as number] as number;
  return values;
}

/** Every half has a fixed value, so they are worked out once: [65536]. */
let widened: Float32Array | undefined;

function widenAll(): Float32Array {
  const table = new Float32Array(65536);
  for (let half = 0; half < 65536; half++) table[half] = widen(half);
  return table;
}

function widen(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 31) return mantissa === 0 ? sign * Infinity : NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
