/** `entrain measure` from arguments to the printed answer, on files in a temporary folder. */
import { readFile, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import {
  answer,
  arrays,
  file,
  labels,
  said,
  save,
  useArrays,
} from '../../fixtures/recordings/measured-arrays.ts';
import { run } from '../../../src/measure/main.ts';
import { MEASURES } from '../../../src/synchrony/measures/index.ts';

useArrays();

describe('entrain measure sync-r2', () => {
  it('gives the paper’s figure on given splits', async () => {
    const found = await answer('sync-r2', ...arrays(), ...labels(), '--splits', file('splits.json'));
    expect(found).toMatchObject({ mode: 'paper', alpha: 0.5, best_target_layer: [0] });
    expect(found['r2_per_split']).toHaveLength(2);
    expect(found['sync_r2']).toBeCloseTo(Math.max(0, (found['r2_mean'] as number[][])[0]?.[0] as number), 12);
    expect(found['sync_r2_unclipped']).toBeCloseTo((found['r2_mean'] as number[][])[0]?.[0] as number, 12);
  });

  it('gives the strict score with its test, and estimates without a test beyond text and words', async () => {
    const text = ['--text', file('text.npy'), '--words', file('words.npy')];
    const found = await answer('sync-r2', ...arrays(), ...labels(), ...text, '--permutations', '99');
    expect(found).toMatchObject({ mode: 'strict', method: 'strict 2', n: 192, groups: 8, p_value: 0.01 });
    const [low, high] = found['ci'] as [number, number];
    expect(low).toBeGreaterThan(0);
    expect(high).toBeGreaterThan(low);
    expect(found['excess']).toBeCloseTo((found['score'] as number) - (found['null_mean'] as number), 12);
    expect(found['per_layer']).toHaveLength(1);
    for (const beyond of ['beyond_text', 'beyond_words']) {
      expect(found[beyond]).toHaveProperty('ci');
      expect(found[beyond]).not.toHaveProperty('p_value');
    }
    expect(found['nulls']).toMatchObject({ shuffled: { n: 192 }, pseudo: { n: 192 } });
  });

  it('measures one layer of several, under its own number', async () => {
    const whole = await answer('sync-r2', ...arrays(), ...labels(), '--mode', 'paper');
    const deep = ['--a', file('deep.npy'), '--b', file('deep-b.npy')];
    const one = await answer('sync-r2', ...deep, ...labels(), '--mode', 'paper', '--layer', '1');
    expect(one).toMatchObject({ source_layers: [1], best_target_layer: [1] });
    expect(one['sync_r2_unclipped']).toBeCloseTo(whole['sync_r2_unclipped'] as number, 12);
  });

  it('says why there is no number', async () => {
    const found = await answer('sync-r2', ...arrays(), ...labels(), '--minimum-scenarios', '9');
    expect(found).toMatchObject({
      score: null,
      reason: 'too few scenarios with at least three episodes: 8 can be used, 9 are needed',
    });
  });
});

describe('entrain measure with other measures', () => {
  it('gives one number, or a matrix over the channels of both streams', async () => {
    const cka = await answer('cka', ...arrays());
    expect(cka['value']).toBeGreaterThan(0);
    const plv = await answer('plv', ...arrays(), '--components', '2', '--band', '0.05,0.3');
    expect((plv['matrix'] as number[][]).map((row) => row.length)).toEqual([4, 4, 4, 4]);
  });

  it('compares with surrogates if asked to', async () => {
    expect(await answer('cka', ...arrays())).not.toHaveProperty('p_value');
    const cka = await answer('cka', ...arrays(), '--permutations', '19');
    expect(cka).toMatchObject({ surrogate: 'shift', p_value: 0.05, surrogates: 19 });
    expect(cka['size']).toBe(cka['value']);
    expect(cka['null_q95']).toBeLessThan(cka['value'] as number);
    const flags = ['--components', '2', '--permutations', '9', '--seed', '3'];
    const plv = await answer('plv', ...arrays(), ...flags);
    expect(plv).toMatchObject({ surrogate: 'phase', surrogates: 9 });
    expect(plv['size']).toBe(
      Math.max(...(plv['matrix'] as number[][]).slice(0, 2).flatMap((row) => row.slice(2))),
    );
    expect(await answer('plv', ...arrays(), ...flags)).toEqual(plv);
    await expect(run(['cka', ...arrays(), '--surrogate', 'none'])).rejects.toThrow('shift or phase');
  });

  it('names layers without a value instead of leaving them out of the mean', async () => {
    const layers = (broken: number): Float64Array =>
      Float64Array.from({ length: 48 }, (_, at) => (at === 5 ? broken : Math.sin(at * at)));
    await save('whole.npy', [12, 2, 2], layers(0.5));
    await save('broken.npy', [12, 2, 2], layers(Number.NaN));
    const whole = await answer('isc', '--a', file('whole.npy'), '--b', file('whole.npy'));
    expect(whole['value']).toBeCloseTo(1, 9);
    const found = await answer('isc', '--a', file('whole.npy'), '--b', file('broken.npy'));
    expect(found).toMatchObject({ value: null, reason: 'layer 0: a stream holds NaN or infinity' });
    expect(found['per_layer']).toMatchObject([{ value: null }, { value: expect.closeTo(1, 9) as number }]);
  });

  it('says how many different surrogates there are if more were asked for', async () => {
    await save(
      's16a.npy',
      [16, 1],
      Float64Array.from({ length: 16 }, (_, t) => Math.sin(t * t)),
    );
    const argv = ['cka', '--a', file('s16a.npy'), '--b', file('s16a.npy'), '--permutations', '9999'];
    expect(await answer(...argv)).toMatchObject({
      p_value: 1 / 16,
      surrogates: 15,
      null_note: 'there are 15 different surrogates: p is 0.063 at the least',
    });
  });

  it('lists every measure', async () => {
    const list = JSON.parse(await said('--list', '--json')) as { name: string }[];
    expect(list.map(({ name }) => name)).toEqual([
      'sync-r2',
      'influence',
      ...MEASURES.map(({ name }) => name),
    ]);
    expect(await said('--list')).toContain('Kornblith');
  });
});

describe('entrain measure refuses', () => {
  it.each([
    [['nonsense', '--a', 'x', '--b', 'y'], 'MEASURE_UNKNOWN'],
    [[], 'USAGE'],
    [['cka'], 'USAGE'],
    [['cka', '--a', 'x', '--b', 'y', '--colour'], 'USAGE'],
    [['cka', '--a', '/nowhere/a.npy', '--b', '/nowhere/b.npy'], 'MEASURE_INPUT'],
    [['sync-r2', '--run', '/nowhere'], 'RUN_INVALID'],
    [['cka', '--run', '/nowhere'], 'RUN_INVALID'],
    [['sync-r2', '--a', 'x', '--b', 'y', '--lag', '3'], 'USAGE'],
  ])('the arguments %j', async (argv, code) => {
    await expect(run(argv)).rejects.toMatchObject({ code });
  });

  it('arrays that do not fit each other, and names them', async () => {
    await expect(run(['sync-r2', '--a', file('a.npy'), '--b', file('short.npy')])).rejects.toThrow(
      'short.npy',
    );
    await expect(run(['sync-r2', ...arrays(), '--text', file('short.npy')])).rejects.toThrow('short.npy');
    await expect(run(['sync-r2', ...arrays(), '--mode', 'lax'])).rejects.toThrow('paper or strict');
    await writeFile(file('bad.json'), '{"test_episodes": "all"}');
    await expect(run(['sync-r2', ...arrays(), '--splits', file('bad.json')])).rejects.toThrow('bad.json');
    expect(await readFile(file('bad.json'), 'utf8')).toContain('all');
  });
});
