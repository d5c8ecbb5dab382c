/** `entrain measure sync-r2 --mode paper` and `--lag`: what stands beside the paper's figure. */
import { describe, expect, it } from 'vitest';
import { run } from '../../../src/measure/main.ts';
import type { Matrix } from '../../../src/numeric/linear-algebra.ts';
import {
  answer,
  arrays,
  file,
  labels,
  save,
  saveJson,
  useArrays,
  worldPairs,
} from '../../fixtures/recordings/measured-arrays.ts';

useArrays();

describe('entrain measure sync-r2', () => {
  it('holds the paper’s figure against text alone, other units and later turns, and prints its splits', async () => {
    const argv = [...arrays(), ...labels(), '--text', file('text.npy'), '--mode', 'paper'];
    const found = await answer('sync-r2', ...argv);
    const again = await answer('sync-r2', ...argv, '--splits', await saveJson('drawn.json', found['splits']));
    expect(again['sync_r2_unclipped']).toBeCloseTo(found['sync_r2_unclipped'] as number, 12);
    const text = await answer(
      'sync-r2',
      '--a',
      file('text.npy'),
      '--b',
      file('b.npy'),
      ...labels(),
      '--mode',
      'paper',
    );
    expect(found['text_sync_r2']).toBeCloseTo(text['sync_r2'] as number, 12);
    expect(found['units']).toMatchObject({
      scenario_and_personas: { units: 8 },
      episode: { units: 32 },
      scenario: {
        units: 8,
        sync_r2_unclipped: expect.closeTo(found['sync_r2_unclipped'] as number, 12) as number,
      },
    });
    const lags = found['lags'] as { lag: number; sync_r2_unclipped: number }[];
    expect(lags.map(({ lag }) => lag)).toEqual([3, 5]);
    const later = await answer('sync-r2', ...argv, '--lag', '3');
    expect(later).not.toHaveProperty('lags');
    expect(later['sync_r2_unclipped']).toBeCloseTo(lags[0]?.sync_r2_unclipped as number, 12);
  });

  it('draws scenarios with all of their personas as one unit where they are named', async () => {
    const { scenario } = worldPairs;
    await save(
      'setting.npy',
      [scenario.length],
      scenario.map((label) => label % 3),
    );
    const argv = [...arrays(), ...labels(), '--setting', file('setting.npy'), '--mode', 'paper'];
    const found = await answer('sync-r2', ...argv);
    const plain = await answer('sync-r2', ...arrays(), ...labels(), '--mode', 'paper');
    expect(found['sync_r2_unclipped']).toBe(plain['sync_r2_unclipped']);
    const { scenario: larger } = found['units'] as { scenario: { units: number; sync_r2_unclipped: number } };
    expect(larger.units).toBe(3);
    expect(larger.sync_r2_unclipped).not.toBeCloseTo(found['sync_r2_unclipped'] as number, 6);
  });

  it('pairs A’s state with B’s at a later turn', async () => {
    const kept = [...worldPairs.turn.keys()].filter(
      (row) => worldPairs.turn[row + 1] === (worldPairs.turn[row] as number) + 2,
    );
    const rowsOf = async (name: string, m: Matrix, by: number): Promise<string> => {
      const data = Float64Array.from(
        kept.flatMap((row) => [...m.data.subarray((row + by) * 16, (row + by + 1) * 16)]),
      );
      await save(name, [kept.length, 16], data);
      return file(name);
    };
    const own = ['--a', await rowsOf('a3.npy', worldPairs.source[0] as Matrix, 0)];
    const next = ['--b', await rowsOf('b3.npy', worldPairs.target[0] as Matrix, 1)];
    const names = await Promise.all(
      (['episode', 'scenario', 'turn'] as const).map(async (name) => {
        await save(
          `${name}3.npy`,
          [kept.length],
          Int32Array.from(kept, (row) => worldPairs[name][row] as number),
        );
        return [`--${name}`, file(`${name}3.npy`)];
      }),
    );
    for (const mode of ['paper', 'strict']) {
      const field = mode === 'paper' ? 'sync_r2_unclipped' : 'score';
      const found = await answer('sync-r2', ...arrays(), ...labels(), '--lag', '3', '--mode', mode);
      const twin = await answer('sync-r2', ...own, ...next, ...names.flat(), '--lag', '1', '--mode', mode);
      expect(found[field]).toBeCloseTo(twin[field] as number, 12);
    }
    await expect(run(['sync-r2', ...arrays(), ...labels(), '--lag', '2'])).rejects.toThrow(
      'expected 1, 3, 5',
    );
    await expect(run(['sync-r2', ...arrays(), ...labels(), '--lag', '99'])).rejects.toThrow('99 turns later');
  });

  it('reads layers one at a time where the arrays would take more memory than allowed', async () => {
    const argv = ['--a', file('deep.npy'), '--b', file('deep-b.npy'), ...labels(), '--mode', 'paper'];
    const whole = await answer('sync-r2', ...argv);
    const found = await answer('sync-r2', ...argv, '--memory-gb', '0.00001');
    expect(found['streamed']).toBe(true);
    expect(found['splits']).toEqual(whole['splits']);
    for (const field of ['sync_r2', 'sync_r2_unclipped'])
      expect(found[field]).toBeCloseTo(whole[field] as number, 12);
    expect(found['best_target_layer']).toEqual(whole['best_target_layer']);
  });
});
