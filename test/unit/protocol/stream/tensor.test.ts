import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packTensor, unpackTensor } from '../../../../src/protocol/stream/tensor.ts';

/** The nearest float16, found by search over all of them; of two, the even one. */
function nearestHalf(value: number, halves: Float64Array): number {
  let best = 0;
  for (let i = 1; i < halves.length; i++) {
    const distance = Math.abs((halves[i] as number) - value);
    const bestDistance = Math.abs((halves[best] as number) - value);
    if (distance < bestDistance || (distance === bestDistance && i % 2 === 0)) best = i;
  }
  return halves[best] as number;
}

/** All finite float16 from 0 up, in ascending order: [0x7c00]. */
const positiveHalves = Float64Array.from({ length: 0x7c00 }, (_, half) => {
  const exponent = half >>> 10;
  const mantissa = half & 0x3ff;
  return exponent === 0 ? mantissa * 2 ** -24 : (1 + mantissa / 1024) * 2 ** (exponent - 15);
});

describe('packTensor', () => {
  it('rounds to the nearest float16, ties to even', () => {
    const cases = fc.oneof(
      fc.float({ noNaN: true, min: Math.fround(-65519), max: Math.fround(65519) }),
      fc
        .integer({ min: 0, max: 0x7bfe })
        .map((half) =>
          Math.fround(((positiveHalves[half] as number) + (positiveHalves[half + 1] as number)) / 2),
        ),
    );
    fc.assert(
      fc.property(cases, (value) => {
        const { dtype, data } = packTensor(Float32Array.of(value, -value, value), 'f16');
        const nearest = Math.sign(value) * nearestHalf(Math.abs(value), positiveHalves);
        expect(dtype).toBe('f16');
        expect([...unpackTensor(dtype, data)].map((back) => back + 0)).toEqual(
          [nearest, -nearest, nearest].map((half) => half + 0),
        );
      }),
      { numRuns: 300 },
    );
  });

  it.each([65520, -1e9, Infinity, NaN])('sends a tensor with %s as float32', (value) => {
    for (const place of [0, 1, 2]) {
      const values = Float32Array.of(1, 1, 1).fill(value, place, place + 1);
      const { dtype, data } = packTensor(values, 'f16');
      expect(dtype).toBe('f32');
      expect(unpackTensor(dtype, data)).toEqual(values);
    }
  });

  it('sends a tensor as float32 wherever in it a value does not fit, and the next one as float16', () => {
    const length = 2 * 4096 + 5;
    fc.assert(
      fc.property(fc.integer({ min: 0, max: length - 1 }), (place) => {
        const values = new Float32Array(length).fill(-65519).fill(65520, place, place + 1);
        expect(packTensor(values, 'f16').dtype).toBe('f32');
        expect(packTensor(values.subarray(0, place), 'f16').dtype).toBe('f16');
        expect(packTensor(Float32Array.of(1), 'f16').dtype).toBe('f16');
      }),
    );
  });

  it('keeps every float16 unchanged', () => {
    const all = Float32Array.from([...positiveHalves, ...positiveHalves.map((value) => -value)]);
    const { dtype, data } = packTensor(all, 'f16');
    expect(unpackTensor(dtype, data)).toEqual(all);
  });
});

describe('unpackTensor', () => {
  it('reads bytes that are not aligned', () => {
    const { data } = packTensor(Float32Array.of(1.5, -2), 'f32');
    const shifted = Buffer.concat([Buffer.of(7), data]).subarray(1);
    expect([...unpackTensor('f32', shifted)]).toEqual([1.5, -2]);
  });
});
