/**
 * Surrogates keep what a stream is by itself and lose what it shares; for uncoupled streams small p-values are
 * as rare as they should be.
 */
import { describe, expect, it } from 'vitest';
import { cka } from '../../../../src/synchrony/measures/cka.ts';
import { granger } from '../../../../src/synchrony/measures/granger.ts';
import { isc } from '../../../../src/synchrony/measures/isc.ts';
import { svcca } from '../../../../src/synchrony/measures/svcca.ts';
import { xcorr } from '../../../../src/synchrony/measures/xcorr.ts';
import { plv } from '../../../../src/synchrony/measures/plv.ts';
import { crossProduct, product, takeRows, shiftRows, zeros } from '../../../../src/numeric/matrix.ts';
import { createPlainAlgebra } from '../../../../src/numeric/plain-algebra.ts';
import { seededRandom, shuffled, type Random } from '../../../../src/numeric/random.ts';
import { allPass, surrogateNull, surrogateSizes } from '../../../../src/synchrony/stats/surrogates.ts';
import type { Matrix } from '../../../../src/numeric/linear-algebra.ts';

const options = { algebra: createPlainAlgebra() };

const columnOf = (values: number[]): Matrix => ({
  rows: values.length,
  cols: 1,
  data: Float64Array.from(values),
});

/** A slow stream: each step keeps `share` of the one before. */
function slow(random: Random, { steps, share }: { steps: number; share: number }): number[] {
  const out = [random.normal()];
  for (let t = 1; t < steps; t++)
    out.push(share * (out[t - 1] as number) + Math.sqrt(1 - share ** 2) * random.normal());
  return out;
}

/** Adds phases frequency by frequency, by the definition of the discrete Fourier transform. */
function slowPhases(x: number[], phases: number[]): number[] {
  const n = x.length;
  const turned = x.map((_, k) => {
    const angle = k === 0 || 2 * k === n ? 0 : 2 * k < n ? phases[k - 1]! : -phases[n - k - 1]!;
    const re = x.reduce((sum, value, t) => sum + value * Math.cos((2 * Math.PI * k * t) / n), 0);
    const im = x.reduce((sum, value, t) => sum - value * Math.sin((2 * Math.PI * k * t) / n), 0);
    return {
      re: re * Math.cos(angle) - im * Math.sin(angle),
      im: re * Math.sin(angle) + im * Math.cos(angle),
    };
  });
  return x.map(
    (_, t) =>
      turned.reduce((sum, { re, im }, k) => {
        const angle = (2 * Math.PI * k * t) / n;
        return sum + re * Math.cos(angle) - im * Math.sin(angle);
      }, 0) / n,
  );
}

describe('a surrogate', () => {
  it('by shift is the stream shifted circularly', () => {
    expect([...shiftRows(columnOf([1, 2, 3, 4]), 1).data]).toEqual([4, 1, 2, 3]);
    expect([...shiftRows(columnOf([1, 2, 3, 4]), -1).data]).toEqual([2, 3, 4, 1]);
  });

  it.each([8, 9])('by phase agrees with its reference implementation over %i steps', (steps) => {
    const random = seededRandom(steps);
    const x = Array.from({ length: steps }, () => random.normal());
    const phases = Array.from({ length: Math.ceil(steps / 2) - 1 }, () => 6 * random.uniform());
    const found = product(allPass(steps, phases), columnOf(x)).data;
    for (const [t, value] of slowPhases(x, phases).entries()) expect(found[t]).toBeCloseTo(value, 9);
  });

  it('by phase keeps the mean and what the dims share', () => {
    const random = seededRandom(3);
    const m: Matrix = { rows: 11, cols: 3, data: Float64Array.from({ length: 33 }, () => random.normal()) };
    const turned = product(allPass(11, [1, 2, 3, 4, 5]), m);
    const found = crossProduct(turned, turned).data;
    for (const [at, value] of crossProduct(m, m).data.entries()) expect(found[at]).toBeCloseTo(value, 9);
    const sum = (of: Matrix): number => of.data.reduce((total, value) => total + value, 0);
    expect(sum(turned)).toBeCloseTo(sum(m), 9);
  });

  it('by a phase proportional to the frequency is a shift', () => {
    const x = columnOf([3, 1, 4, 1, 5, 9, 2]);
    const steady = [1, 2, 3].map((k) => (-2 * Math.PI * k * 2) / 7);
    const found = product(allPass(7, steady), x).data;
    for (const [t, value] of shiftRows(x, 2).data.entries()) expect(found[t]).toBeCloseTo(value, 9);
  });
});

const RUNS = 120;

describe('the p-value from surrogates', () => {
  it.each(['shift', 'phase'] as const)('by %s is rarely small for slow uncoupled streams', async (kind) => {
    const random = seededRandom(7);
    let small = 0;
    let fooled = 0;
    for (let run = 0; run < RUNS; run++) {
      const [a, b] = [0, 1].map(() => columnOf(slow(random, { steps: 96, share: 0.9 }))) as [Matrix, Matrix];
      const found = await surrogateNull({ a, b, measure: isc, options }, { kind, count: 39, seed: run });
      if (!('reason' in found) && found.pValue <= 0.05) small += 1;
      fooled += Number(await shuffledSays({ a, b }, random));
    }
    // 5 % are expected; at most 3 standard deviations above. Steps shuffled one by one give small p-values in
    // most runs, from slowness alone.
    expect(small / RUNS).toBeLessThan(0.05 + 3 * Math.sqrt((0.05 * 0.95) / RUNS));
    expect(fooled / RUNS).toBeGreaterThan(0.3);
  });

  it.each(['shift', 'phase'] as const)('by %s is as small as possible for coupled streams', async (kind) => {
    const random = seededRandom(8);
    const shared = slow(random, { steps: 128, share: 0.8 });
    const noisy = (): Matrix => columnOf(shared.map((value) => value + 0.5 * random.normal()));
    const input = { a: noisy(), b: noisy(), options };
    for (const measure of [isc, plv]) {
      const found = await surrogateNull({ ...input, measure }, { kind, count: 99, seed: 1 });
      expect(found).toMatchObject({ pValue: 0.01, count: 99 });
      if (!('reason' in found)) expect(found.size).toBeGreaterThan(found.nullQ95);
    }
  });

  it('by shift never shifts by as little as a lagged measure looks at, and is absent if it would have to', async () => {
    const random = seededRandom(11);
    const at = (steps: number) => {
      const shared = slow(random, { steps, share: 0.2 });
      const noisy = (): Matrix => columnOf(shared.map((value) => value + 0.2 * random.normal()));
      return surrogateNull(
        { a: noisy(), b: noisy(), measure: xcorr, options },
        { kind: 'shift', count: 99, seed: 1 },
      );
    };
    // 40 steps have 19 shifts beyond 10 lags.
    expect(await at(40)).toMatchObject({ pValue: 1 / 20, count: 19 });
    expect(await at(20)).toEqual({ reason: expect.stringContaining('need 22') as string });
  });

  it('counts only couplings between the streams, however many components each has', async () => {
    const random = seededRandom(12);
    const wave = slow(random, { steps: 128, share: 0.8 });
    const a = columnOf(wave);
    const b = zeros(128, 3);
    for (const [t, value] of wave.entries()) b.data.set([5 * value, random.normal(), random.normal()], 3 * t);
    const found = await surrogateNull(
      { a, b, measure: plv, options: { ...options, components: 3 } },
      { kind: 'phase', count: 99, seed: 1 },
    );
    expect(found).toMatchObject({ pValue: 0.01 });
    if (!('reason' in found)) expect(found.size).toBeGreaterThan(0.9);
  });

  it('is the same for the same seed, and absent if the measure has no score', async () => {
    const random = seededRandom(9);
    const [a, b] = [0, 1].map(() => columnOf(slow(random, { steps: 32, share: 0.5 }))) as [Matrix, Matrix];
    const ask = (seed: number, other = b) =>
      surrogateNull({ a, b: other, measure: isc, options }, { kind: 'phase', count: 19, seed });
    expect(await ask(1)).toEqual(await ask(1));
    expect(await ask(1)).not.toEqual(await ask(2));
    expect(await ask(1, columnOf(Array<number>(32).fill(4)))).toEqual({
      reason: 'a stream does not vary',
    });
  });
});

/** Whether shuffling single steps would call these streams coupled. */
async function shuffledSays({ a, b }: { a: Matrix; b: Matrix }, random: Random): Promise<boolean> {
  const valueOf = async (other: Matrix): Promise<number> => {
    const answer = await isc.compute(a, other, options);
    return 'value' in answer ? Math.abs(answer.value) : 0;
  };
  const own = await valueOf(b);
  let higher = 0;
  for (let draw = 0; draw < 39; draw++)
    higher += Number((await valueOf(takeRows(b, shuffled([...Array(b.rows).keys()], random)))) >= own);
  return (1 + higher) / 40 <= 0.05;
}

describe('the shifts of surrogates', () => {
  const noise = (random: Random, steps: number, dims = 1): Matrix => ({
    rows: steps,
    cols: dims,
    data: Float64Array.from({ length: steps * dims }, () => random.normal()),
  });
  const sizesOf = async (steps: number, count: number, seed = 1): Promise<number[]> => {
    const random = seededRandom(40 + steps);
    const input = { a: noise(random, steps), b: noise(random, steps), measure: isc, options };
    const found = await surrogateSizes(input, { kind: 'shift', count, seed });
    if ('reason' in found) throw new Error(found.reason);
    return found.sizes.map((size) => size as number);
  };

  it('are never drawn twice, and all are used if more are asked for', async () => {
    for (const [steps, count, different] of [
      [16, 9999, 15],
      [32, 99, 27],
      [33, 5, 5],
      [128, 99, 99],
      [128, 999, 105],
    ] as const) {
      const sizes = await sizesOf(steps, count);
      expect(sizes).toHaveLength(different);
      expect(new Set(sizes).size).toBe(different);
    }
    expect(new Set(await sizesOf(16, 9999, 1))).toEqual(new Set(await sizesOf(16, 9999, 2)));
  });

  it.each([cka, isc, xcorr, svcca, granger])('give no p below 1 / (shifts + 1): $name', async (measure) => {
    const random = seededRandom(5);
    const a = noise(random, 48, 3);
    const b = { ...a, data: a.data.map((value) => value + 1e-3 * random.normal()) };
    const input = { a, b, measure, options: { ...options, components: 1 } };
    const found = await surrogateNull(input, { kind: 'shift', count: 9999, seed: 1 });
    if ('reason' in found) throw new Error(found.reason);
    // The least shift is 4, or 11 for the lags of xcorr.
    const shifts = measure === xcorr ? 27 : 41;
    expect(found.count).toBe(shifts);
    expect(found.pValue).toBeGreaterThanOrEqual(1 / (shifts + 1));
  });

  it('give p ≤ 0.05 in noise of 32 steps at that rate, whatever number is asked for', async () => {
    for (const count of [99, 999]) {
      const random = seededRandom(6);
      let small = 0;
      let smallest = 1;
      for (let run = 0; run < 300; run++) {
        const input = { a: noise(random, 32), b: noise(random, 32), measure: isc, options };
        const found = await surrogateNull(input, { kind: 'shift', count, seed: run });
        if ('reason' in found) throw new Error(found.reason);
        small += Number(found.pValue <= 0.05);
        smallest = Math.min(smallest, found.pValue);
      }
      expect(smallest).toBeCloseTo(1 / 28, 12);
      // Of 28 ranks only the first is below 0.05: 3.6 %.
      expect(small / 300).toBeLessThan(1 / 28 + 3 * Math.sqrt(1 / 28 / 300));
    }
  });

  it('that map a periodic stream to itself are no evidence', async () => {
    const wave = columnOf(
      Array.from({ length: 64 }, (_, t) => [0, 3, 1, -2, 5, -4, 2, 0.7][t % 8] as number),
    );
    const found = await surrogateNull(
      { a: wave, b: wave, measure: isc, options },
      { kind: 'shift', count: 999, seed: 1 },
    );
    // 53 shifts, 7 of them by a multiple of the period.
    expect(found).toMatchObject({ count: 53, pValue: 8 / 54 });
  });
});
