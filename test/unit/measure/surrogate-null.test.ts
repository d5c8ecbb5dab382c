import { expect, it } from 'vitest';
import { measureBesideNull } from '../../../src/measure/surrogate-null.ts';
import { measureAnswer } from '../../../src/measure/answers.ts';
import { zeros } from '../../../src/numeric/matrix.ts';
import { MEASURES } from '../../../src/synchrony/measures/index.ts';
import type { Measure } from '../../../src/synchrony/measures/measure.ts';
import { createPlainAlgebra } from '../../../src/numeric/plain-algebra.ts';
import { seededRandom } from '../../../src/numeric/random.ts';

const options = { algebra: createPlainAlgebra(), components: 2 };
const random = seededRandom(1, 0);
const noise = (rows: number) => {
  const m = zeros(rows, 3);
  for (let at = 0; at < m.data.length; at++) m.data[at] = random.normal();
  return m;
};
const named = (name: string): Measure => MEASURES.find((one) => one.name === name) as Measure;

/** The measure, with its calls counted. */
function counted(measure: Measure): { measure: Measure; calls: { compute: number; shifted: number } } {
  const calls = { compute: 0, shifted: 0 };
  const { shifted } = measure;
  const compute: Measure['compute'] = (...of) => ((calls.compute += 1), measure.compute(...of));
  const prepare: Measure['shifted'] = shifted && ((...of) => ((calls.shifted += 1), shifted(...of)));
  return { measure: { ...measure, compute, ...(prepare ? { shifted: prepare } : {}) }, calls };
}

it.each([
  ['cka', { compute: 0, shifted: 1 }],
  ['isc', { compute: 0, shifted: 1 }],
  ['plv', { compute: 1 + 5, shifted: 0 }],
])('measureBesideNull computes %s once for the original streams, also with a null', async (name, wanted) => {
  const [a, b] = [noise(60), noise(60)];
  const { measure, calls } = counted(named(name));
  const found = await measureBesideNull({ a, b, measure, options }, { count: 5, seed: 1 });
  expect(found).toMatchObject(measureAnswer(await named(name).compute(a, b, options)));
  expect(found).toMatchObject({ surrogate: name === 'plv' ? 'phase' : 'shift', surrogates: 5 });
  expect(calls).toEqual(named(name).shifted ? wanted : { compute: 6, shifted: 0 });
});

it('measureBesideNull keeps the measure if there is no null, and the reason if there is no measure', async () => {
  const few = noise(12);
  const found = await measureBesideNull(
    { a: few, b: noise(12), measure: named('xcorr'), options: { ...options, maxLag: 6 } },
    { count: 5, seed: 1 },
  );
  expect(found['p_value']).toBeNull();
  expect(found['value']).toBeTypeOf('number');
  const none = { a: zeros(12, 3), b: few, measure: named('cka'), options };
  expect(await measureBesideNull(none, { count: 5, seed: 1 })).toEqual({
    value: null,
    reason: 'a stream does not vary',
  });
  expect(await measureBesideNull({ ...none, a: few }, undefined)).not.toHaveProperty('p_value');
});

it('measureBesideNull uses random phases for every measure that gives a matrix, and only for those', async () => {
  const [a, b] = [noise(60), noise(60)];
  for (const measure of MEASURES) {
    const matrix = 'matrix' in (await measure.compute(a, b, options));
    const found = await measureBesideNull({ a, b, measure, options }, { count: 1, seed: 1 });
    expect([measure.name, found['surrogate']]).toEqual([measure.name, matrix ? 'phase' : 'shift']);
  }
});
