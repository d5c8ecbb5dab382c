/** Dyads of arrays beside pseudo-dyads, from files to the printed answer. */
import { mkdir, rm } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/numeric/random.ts';
import { answer, file, said, save, useArrays } from '../../fixtures/recordings/measured-arrays.ts';

useArrays();

const STEPS = 200;
const CHANNELS = 3;

/** Two members of each dyad; they share a signal of the strength `shared`. */
async function dyads(count: number, shared: number, lengths: readonly number[] = []): Promise<string> {
  const random = seededRandom(7);
  await mkdir(file('dyads'));
  for (let dyad = 0; dyad < count; dyad++) {
    const steps = lengths[dyad] ?? STEPS;
    const common = Array.from({ length: steps * CHANNELS }, () => random.normal());
    for (const side of ['a', 'b']) {
      const data = Float64Array.from(common, (value) => shared * value + random.normal());
      await save(`dyads/d${dyad}-${side}.npy`, [steps, CHANNELS], data);
    }
  }
  return file('dyads');
}

describe('entrain measure --dyads', () => {
  beforeEach(() => rm(file('dyads'), { recursive: true, force: true }));

  it('finds members of a dyad closer than members of different ones, by p of all orders', async () => {
    const found = await answer('isc', '--dyads', await dyads(6, 1));
    expect(found).toMatchObject({
      measure: 'isc',
      dyads: 6,
      permutations: 720,
      exact: true,
      p_value: 1 / 720,
    });
    expect(found['excess']).toBeCloseTo((found['value'] as number) - (found['pseudo_mean'] as number), 12);
    expect((found['ci'] as number[])[0]).toBeGreaterThan(0.2);
    expect(found['per_dyad']).toHaveLength(6);
  });

  it('finds nothing where members share nothing', async () => {
    const found = await answer('isc', '--dyads', await dyads(6, 0));
    expect(found['p_value']).toBeGreaterThan(0.05);
  });

  it('takes the channels of one by those of the other from measures that give a matrix', async () => {
    const folder = await dyads(5, 2, [200, 180, 200, 190, 200]);
    const found = await answer('plv', '--dyads', folder, '--band', '0.05,0.25');
    expect(found['p_value']).toBeCloseTo(1 / 120, 12);
    const alone = await answer(
      'plv',
      '--a',
      `${folder}/d0-a.npy`,
      '--b',
      `${folder}/d0-b.npy`,
      '--band',
      '0.05,0.25',
    );
    const between = (alone['matrix'] as number[][]).slice(0, 3).flatMap((row) => row.slice(3).map(Math.abs));
    const [first] = found['per_dyad'] as { value: number }[];
    expect(first?.value).toBeCloseTo(between.reduce((sum, value) => sum + value, 0) / 9, 12);
  });

  it('takes the second member so many rows later', async () => {
    const random = seededRandom(11);
    await mkdir(file('dyads'));
    for (let dyad = 0; dyad < 5; dyad++) {
      const leads = Array.from({ length: STEPS + 3 }, () => random.normal());
      await save(`dyads/d${dyad}-a.npy`, [STEPS, 1], Float64Array.from(leads.slice(3)));
      await save(`dyads/d${dyad}-b.npy`, [STEPS, 1], Float64Array.from(leads.slice(0, STEPS)));
    }
    expect(await answer('isc', '--dyads', file('dyads'), '--lag', '3')).toMatchObject({
      lag: 3,
      p_value: 1 / 120,
    });
    const later = (await answer('isc', '--dyads', file('dyads'), '--lag', '3'))['value'] as number;
    const atOnce = await answer('isc', '--dyads', file('dyads'));
    expect(later).toBeCloseTo(1, 5);
    expect(atOnce['lag']).toBe(0);
    expect(atOnce['value']).toBeLessThan(0.3);
  });

  it('says what is wrong with a folder or with flags', async () => {
    const refused = (argv: string[], code: string, text: RegExp) =>
      expect(said(...argv)).rejects.toMatchObject({ code, message: expect.stringMatching(text) as string });
    await refused(['isc', '--dyads', file('dyads')], 'MEASURE_INPUT', /cannot be read/);
    const folder = await dyads(4, 1);
    await rm(`${folder}/d2-b.npy`);
    await refused(['isc', '--dyads', folder], 'MEASURE_INPUT', /d2-a\.npy without d2-b\.npy/);
    await refused(['sync-r2', '--dyads', folder], 'USAGE', /for measures over steps/);
  });
});
