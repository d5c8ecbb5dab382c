/**
 * Every measure compared with its reference implementation; its range, symmetry and invariances; and its answer
 * for input that it cannot measure.
 */
import { describe, expect, it } from 'vitest';
import { MEASURES } from '../../../src/synchrony/measures/index.ts';
import type { Measure, MeasureAnswer } from '../../../src/synchrony/measures/measure.ts';
import { createPlainAlgebra } from '../../../src/numeric/plain-algebra.ts';
import { product, shiftRows, zeros } from '../../../src/numeric/matrix.ts';
import { seededRandom } from '../../../src/numeric/random.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';
import { COUPLING_TWINS, VALUE_TWINS } from './slow-twins.ts';

const options = { algebra: createPlainAlgebra(), components: 3 };
const plain = { algebra: options.algebra };

/** Streams that share a slow wave, so that no measure is near 0. */
function streams(seed: number, steps = 24, dims = 4): { a: Matrix; b: Matrix } {
  const random = seededRandom(seed);
  const make = (shift: number): Matrix => {
    const m = zeros(steps, dims);
    for (let at = 0; at < m.data.length; at++) {
      const wave = Math.sin((Math.floor(at / dims) + shift) * (0.4 + 0.2 * (at % dims)));
      m.data[at] = wave + 0.7 * random.normal();
    }
    return m;
  };
  return { a: make(0), b: make(1) };
}

const rowsOf = (m: Matrix): number[][] =>
  Array.from({ length: m.rows }, (_, r) => [...m.data.subarray(r * m.cols, (r + 1) * m.cols)]);
const named = (name: string): Measure => MEASURES.find((measure) => measure.name === name) as Measure;
const firstColumn = (m: Matrix): Matrix => ({
  rows: m.rows,
  cols: 1,
  data: m.data.filter((_, at) => at % m.cols === 0),
});
const figures = (answer: MeasureAnswer): number[] => {
  if ('reason' in answer) throw new Error(answer.reason);
  return 'matrix' in answer ? [...answer.matrix.data] : [answer.value];
};

describe('the shifted form of a measure', () => {
  it.each(MEASURES.filter(({ shifted }) => shifted).map(({ name }) => name))(
    'gives for %s what the measure gives for the shifted stream itself',
    async (name) => {
      const { a, b } = streams(4);
      const shifted = await named(name).shifted?.(a, b, options);
      if (typeof shifted !== 'function') throw new Error('no score');
      for (const by of [0, 1, 7, 23]) {
        const itself = await named(name).compute(a, shiftRows(b, by), options);
        expect(figures(shifted(by))[0]).toBeCloseTo(figures(itself)[0] as number, 9);
      }
      expect(figures(shifted(7))[0]).not.toBeCloseTo(figures(shifted(0))[0] as number, 3);
    },
  );

  it('exists for every measure that is shown live', () => {
    const quick = MEASURES.filter(({ shifted }) => shifted).map(({ name }) => name);
    expect(quick).toEqual(['cka', 'cka-unbiased', 'rsa', 'svcca', 'isc', 'xcorr']);
  });
});

describe('a measure agrees with its reference implementation', () => {
  it.each(Object.keys(VALUE_TWINS))('%s, a measure of similarity', async (name) => {
    for (const seed of [1, 2, 3]) {
      const { a, b } =
        name === 'granger' ? streams(seed, 40, 1) : streams(seed, name === 'cka-unbiased' ? 9 : 24);
      const [found] = figures(await named(name).compute(a, b, plain));
      expect(found).toBeCloseTo(VALUE_TWINS[name]?.(rowsOf(a), rowsOf(b)) as number, 9);
    }
  });

  it.each(Object.keys(COUPLING_TWINS))('%s, an oscillatory measure', async (name) => {
    for (const seed of [1, 2, 3]) {
      const { a, b } = streams(seed);
      const [, found] = figures(await named(name).compute(firstColumn(a), firstColumn(b), plain));
      expect(found).toBeCloseTo(COUPLING_TWINS[name]?.(rowsOf(a), rowsOf(b)) as number, 9);
    }
  });

  it('for every measure but svcca, whose reference is the golden set', () => {
    const twins = [...Object.keys(VALUE_TWINS), ...Object.keys(COUPLING_TWINS), 'svcca'];
    expect(twins.sort()).toEqual(MEASURES.map((measure) => measure.name).sort());
  });
});

describe.each(MEASURES.map((measure) => [measure.name, measure] as const))('%s', (name, measure) => {
  it('stays in its range', async () => {
    for (const seed of [4, 5, 6, 7]) {
      const { a, b } = streams(seed);
      const signed = ['rsa', 'isc', 'xcorr', 'cka-unbiased', 'envcorr', 'powcorr'].includes(name);
      for (const value of figures(await measure.compute(a, b, options))) {
        expect(value).toBeGreaterThanOrEqual(signed ? -1 : 0);
        if (name !== 'granger') expect(value).toBeLessThanOrEqual(1 + 1e-12);
      }
    }
  });

  it('gives no number for input without one', async () => {
    const { a, b } = streams(8);
    const withNaN = { ...a, data: a.data.map((value, at) => (at === 5 ? Number.NaN : value)) };
    const constant = { ...a, data: a.data.map(() => 3) };
    const short = { rows: 2, cols: a.cols, data: a.data.subarray(0, 2 * a.cols) };
    for (const bad of [withNaN, constant, short]) {
      expect(await measure.compute(bad, b, options)).toHaveProperty('reason');
      expect(await measure.compute(b, bad, options)).toHaveProperty('reason');
    }
    const shortB = { rows: 2, cols: b.cols, data: b.data.subarray(0, 2 * b.cols) };
    expect(await measure.compute(short, shortB, options)).toHaveProperty('reason');
  });

  it('describes itself', () => {
    for (const text of [measure.about, measure.formula, measure.range, measure.reference])
      expect(text).not.toBe('');
  });
});

describe('symmetries and invariances of measures', () => {
  it.each(['cka', 'cka-unbiased', 'rsa', 'svcca', 'isc'])(
    '%s is the same for (a, b) and (b, a)',
    async (name) => {
      const { a, b } = streams(9);
      const [there] = figures(await named(name).compute(a, b, options));
      const [back] = figures(await named(name).compute(b, a, options));
      expect(there).toBeCloseTo(back as number, 10);
    },
  );

  it.each(['cka', 'cka-unbiased', 'svcca'])('%s does not change under rotation', async (name) => {
    const { a, b } = streams(10);
    const turn = zeros(4, 4);
    for (const [at, value] of [0.6, 0.8, 0, 0, -0.8, 0.6, 0, 0, 0, 0, 0, 1, 0, 0, -1, 0].entries())
      turn.data[at] = value;
    const [before] = figures(await named(name).compute(a, b, options));
    const [after] = figures(await named(name).compute(product(a, turn), b, options));
    expect(after).toBeCloseTo(before as number, 10);
  });

  it('xcorr finds a known delay', async () => {
    const { a } = streams(11, 60);
    const later = { ...a, data: a.data.map((_, at) => a.data[Math.max(0, at - 3 * a.cols)] as number) };
    const answer = await named('xcorr').compute(a, later, plain);
    if (!('value' in answer)) throw new Error('no value');
    expect(answer.more?.['best_lag']).toBe(3);
    expect(answer.value).toBeGreaterThan(0.95);
  });

  it('granger tells which stream leads', async () => {
    const random = seededRandom(12);
    const lead = zeros(300, 1);
    const follow = zeros(300, 1);
    for (let t = 1; t < 300; t++) {
      lead.data[t] = random.normal();
      follow.data[t] = 0.8 * (lead.data[t - 1] as number) + 0.6 * random.normal();
    }
    const [there] = figures(await named('granger').compute(lead, follow, plain));
    const [back] = figures(await named('granger').compute(follow, lead, plain));
    expect(there).toBeGreaterThan(0.5);
    expect(back).toBeLessThan(0.05);
  });
});

describe('constant dims', () => {
  // The mean of 0.1 rounds, so what remains is rounding error, which correlates perfectly with other rounding
  // error.
  it.each(['isc', 'xcorr'])('are left out by %s', async (name) => {
    const { a, b } = streams(13, 50, 4);
    const hold = (m: Matrix, value: number): Matrix => ({
      ...m,
      data: m.data.map((own, at) => (at % m.cols === 3 ? value : own)),
    });
    const cut = (m: Matrix): Matrix => ({
      rows: m.rows,
      cols: 3,
      data: m.data.filter((_, at) => at % m.cols !== 3),
    });
    const [without] = figures(await named(name).compute(cut(a), cut(b), plain));
    const answer = await named(name).compute(hold(a, 0.1), hold(b, 0.17), plain);
    expect(figures(answer)[0]).toBeCloseTo(without as number, 12);
    if (name === 'isc') expect(answer).toMatchObject({ more: { left_out: 1 } });
  });

  it('rsa gives no score over two dims, where every correlation is 1 or -1', async () => {
    const { a, b } = streams(14, 24, 2);
    expect(await named('rsa').compute(a, b, plain)).toHaveProperty('reason');
  });
});
