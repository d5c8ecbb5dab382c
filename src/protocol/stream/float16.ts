/** Half precision, rounded to nearest, ties to even. Node 20 has no Float16Array. */
import { createHalfRounder, MOST_AT_ONCE, VALUES_PER_STEP, type HalfRounder } from './float16-vectors.ts';

/** Writes the values as little-endian float16; false if one overflows or is not finite. */
export function toF16(values: Float32Array, halves: Uint16Array): boolean {
  let fits = true;
  for (let from = 0; fits && from < values.length; from += MOST_AT_ONCE)
    fits = roundSome(values.subarray(from, from + MOST_AT_ONCE), halves.subarray(from));
  return fits;
}

/** Created at its first use; an analyzer never needs it. */
let rounder: HalfRounder | undefined;

/** Converts as many values as the rounder takes at once. */
function roundSome(values: Float32Array, halves: Uint16Array): boolean {
  rounder ??= createHalfRounder();
  const count = Math.ceil(values.length / VALUES_PER_STEP) * VALUES_PER_STEP;
  rounder.values.set(values);
  rounder.values.fill(0, values.length, count);
  const fits = rounder.round(count);
  halves.set(rounder.halves.subarray(0, values.length));
  return fits;
}

export function fromF16(halves: Uint16Array): Float32Array {
  const table = (widened ??= widenAll());
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = table[halves[i] as number] as number;
  return values;
}

/** The float32 value of every float16, computed once: [65536]. */
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
