/**
 * Offsets and scales without meaning for coupling change no figure. Streams are made by a formula; the figures
 * are those of NumPy 1.26 and scipy.signal.hilbert in Python for the same streams with column means removed.
 */
import { describe, expect, it } from 'vitest';
import { createPlainAlgebra } from '../../../src/numeric/plain-algebra.ts';
import { shiftRows, zeros } from '../../../src/numeric/matrix.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';
import { MEASURES } from '../../../src/synchrony/measures/index.ts';
import type { MeasureAnswer } from '../../../src/synchrony/measures/measure.ts';

const options = { algebra: createPlainAlgebra() };
const STEPS = 64;

/**
 * sin(0.7 t (c + 1) + seed) + cos(1.9 t + seed c) / 2 + ((7919 t + 104729 c + 31 seed) mod 101) / 101 − 1/2, [64,
 * dims].
 */
function stream(dims: number, seed: number): Matrix {
  const out = zeros(STEPS, dims);
  for (let t = 0; t < STEPS; t++)
    for (let c = 0; c < dims; c++) {
      const waves = Math.sin(0.7 * t * (c + 1) + seed) + 0.5 * Math.cos(1.9 * t + seed * c);
      out.data[t * dims + c] = waves + ((t * 7919 + c * 104729 + seed * 31) % 101) / 101 - 0.5;
    }
  return out;
}

const map = (m: Matrix, of: (value: number, c: number) => number): Matrix => ({
  ...m,
  data: m.data.map((value, at) => of(value, at % m.cols)),
});
const [A, B] = [stream(2, 1), stream(2, 2)];

async function measure(name: string, a: Matrix, b: Matrix): Promise<MeasureAnswer> {
  const found = await MEASURES.find((one) => one.name === name)?.compute(a, b, options);
  return found ?? { reason: 'no such measure' };
}

/** For a matrix, the entry of A's first channel and B's first. */
async function figure(name: string, a: Matrix, b: Matrix): Promise<number> {
  const found = await measure(name, a, b);
  if ('reason' in found) throw new Error(`${name}: ${found.reason}`);
  return 'value' in found ? found.value : (found.matrix.data[found.ofA] as number);
}

const CENTRED = {
  plv: 0.8824385278823434,
  coh: 0.8478414526892659,
  imcoh: 0.6545504347007689,
  pli: 1,
  wpli: 1,
  ccorr: 0.8720371399566709,
  envcorr: 0.3561847570196194,
  powcorr: 0.2209870803303645,
};

describe('an offset', () => {
  it.each(Object.entries(CENTRED))('does not look like phase locking: %s', async (name, wanted) => {
    for (const offset of [1, -3, 100, 1e6])
      expect(
        await figure(
          name,
          map(A, (value) => value + offset),
          map(B, (value) => value - 2 * offset),
        ),
      ).toBeCloseTo(wanted, offset > 1e5 ? 6 : 9);
  });

  it('does not look like phase locking: accorr, which has no reference in SciPy', async () => {
    const moved = await figure(
      'accorr',
      map(A, (value) => value + 100),
      map(B, (value) => value + 100),
    );
    expect(moved).toBeCloseTo(
      await figure(
        'accorr',
        map(A, (value) => value + 5),
        map(B, (value) => value + 7),
      ),
      9,
    );
  });

  it('is reported when it is removed, for the channels that had one', async () => {
    const found = await measure(
      'plv',
      map(A, (value, c) => value + 9 * c),
      B,
    );
    expect(found).toMatchObject({
      warnings: [expect.stringMatching(/^the mean of channel 1 of A was taken out/)],
    });
    expect(await measure('plv', A, B)).not.toHaveProperty('warnings');
  });

  it('that chance explains is kept, so that filtered signals give the figures of HyPyP', async () => {
    expect(await figure('plv', A, B)).toBeCloseTo(0.8804055319064595, 9);
    expect(await figure('coh', A, B)).toBeCloseTo(0.8477656143657777, 9);
  });

  it.each(['cka', 'cka-unbiased', 'svcca', 'isc', 'xcorr', 'granger'])(
    'does not change the figure: %s',
    async (name) => {
      const [a, b] =
        name === 'svcca'
          ? [stream(12, 1), stream(12, 2)]
          : name === 'granger'
            ? [stream(1, 1), stream(1, 2)]
            : [A, B];
      const moved = await figure(
        name,
        map(a, (value, c) => value + 40 - c),
        map(b, (value) => value - 300),
      );
      expect(moved).toBeCloseTo(await figure(name, a, b), 9);
    },
  );
});

describe('a scale', () => {
  const SCALES = [1e-300, 1e-160, 1e-30, 1e-13, 1e13, 1e30, 1e160, 1e300];
  it.each(MEASURES.map(({ name }) => name))('does not change the figure: %s', async (name) => {
    const [a, b] =
      name === 'svcca'
        ? [stream(12, 1), stream(12, 2)]
        : name === 'granger'
          ? [stream(1, 1), stream(1, 2)]
          : [stream(3, 1), stream(3, 2)];
    const plain = await figure(name, a, b);
    for (const scale of SCALES) {
      expect(
        await figure(
          name,
          map(a, (value) => value * scale),
          b,
        ),
        `A · ${scale}`,
      ).toBeCloseTo(plain, 9);
      expect(
        await figure(
          name,
          map(a, (value) => value * scale),
          map(b, (value) => value / scale),
        ),
        String(scale),
      ).toBeCloseTo(plain, 9);
    }
  });

  it.each(['plv', 'coh', 'envcorr', 'isc', 'xcorr'])(
    'of one channel changes nothing in the others: %s',
    async (name) => {
      const unlike = (m: Matrix): Matrix => map(m, (value, c) => value * (c === 0 ? 1e-120 : 1e40));
      expect(await figure(name, unlike(A), unlike(B))).toBeCloseTo(await figure(name, A, B), 9);
    },
  );

  it('does not hide that a channel is silent in the band', async () => {
    for (const scale of [1e-13, 1, 1e13]) {
      const tone = zeros(STEPS, 1);
      for (let t = 0; t < STEPS; t++) tone.data[t] = scale * Math.sin((2 * Math.PI * 16 * t) / STEPS);
      const plv = MEASURES.find((one) => one.name === 'plv');
      expect(await plv?.compute(tone, B, { ...options, band: [0.05, 0.1] })).toEqual({
        reason: 'a channel is silent in the band',
      });
    }
  });
});

describe('measures that compare dim by dim', () => {
  it('give NumPy’s correlations, unshifted and shifted', async () => {
    expect(await figure('isc', A, B)).toBeCloseTo(0.5025325036500647, 12);
    expect(await figure('isc', A, shiftRows(B, 7))).toBeCloseTo(-0.45139546531349845, 12);
    expect(await measure('xcorr', A, B)).toMatchObject({
      value: expect.closeTo(0.7983480584531331, 12) as number,
      more: { best_lag: -10 },
    });
    expect(await measure('xcorr', A, shiftRows(B, 7))).toMatchObject({
      value: expect.closeTo(0.7576988804896905, 12) as number,
      more: { best_lag: 6 },
    });
  });

  it('keep their digits beside one step that is a million times larger', async () => {
    const spiked = { ...B, data: B.data.map((value, at) => (at < 2 ? 1e6 : value)) };
    const xcorr = MEASURES.find((one) => one.name === 'xcorr');
    const shifted = await xcorr?.shifted?.(A, spiked, options);
    if (typeof shifted !== 'function') throw new Error('no score');
    expect(shifted(0)).toMatchObject({
      value: expect.closeTo(-0.5718852379309175, 9) as number,
      more: { best_lag: 2 },
    });
    expect(shifted(7)).toMatchObject({
      value: expect.closeTo(-0.5655636370594738, 9) as number,
      more: { best_lag: 9 },
    });
  });

  it.each(['isc', 'xcorr'])('warn if the streams have different numbers of dims: %s', async (name) => {
    expect(await measure(name, stream(4, 1), stream(6, 2))).toMatchObject({
      warnings: [expect.stringMatching(/^the streams have 4 and 6 dims: the first 4/)],
    });
    for (const [other, a, b] of [
      [name, 4, 4],
      ['cka', 4, 6],
    ] as const)
      expect(await measure(other, stream(a, 1), stream(b, 2))).not.toHaveProperty('warnings');
  });
});
