/** Labels, rows and splits read from files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { readSides, readTurnPairs } from '../../../src/measure/arrays.ts';
import { run } from '../../../src/measure/main.ts';
import { readSplits } from '../../../src/measure/splits.ts';
import { seededRandom } from '../../../src/numeric/random.ts';
import { saveNpy } from '../../fixtures/recordings/npy-file.ts';
import { temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

const N = 6;
let sides: { a: string; b: string };
beforeAll(async () => {
  const states = Float64Array.from({ length: 2 * N }, (_, k) => Math.sin(k));
  const path = await saveNpy('a.npy', ['<f8', [N, 2], states]);
  sides = { a: path, b: path };
});

const PLAIN = [3, 3, 1, 1, 2, 2];
const labels = (type: string, data: ArrayBufferView) => saveNpy('label.npy', [type, [N], data]);
const bigs = (of: (label: bigint) => bigint): BigInt64Array =>
  BigInt64Array.from(PLAIN, (label) => of(BigInt(label)));

describe('labels of episodes and scenarios', () => {
  it.each<[string, string, ArrayBufferView]>([
    ['whole numbers', '<i8', bigs((label) => label)],
    ['multiples of 2³²', '<i8', bigs((label) => label * 2n ** 32n)],
    ['neighbours beyond 2⁵³', '<i8', bigs((label) => 2n ** 53n + label)],
    ['negative numbers below −2⁵³', '<i8', bigs((label) => label - 2n ** 60n)],
    ['the largest unsigned numbers', '<u8', BigUint64Array.from(PLAIN, (k) => 2n ** 64n - 9n + BigInt(k))],
    ['unsigned numbers beyond 2³¹', '<u4', Uint32Array.from(PLAIN, (label) => 2 ** 32 - 9 + label)],
    ['floats beyond 32 bits', '<f8', Float64Array.from(PLAIN, (label) => label * 2 ** 40)],
    ['bytes', '|u1', Uint8Array.from(PLAIN)],
    ['texts', '|S2', Buffer.from(PLAIN.map((label) => `s${label}`).join(''))],
  ])('stay distinct: %s', async (_, type, data) => {
    const path = await labels(type, data);
    const { pairs } = await readTurnPairs({ ...sides, episode: path, scenario: path });
    expect([...pairs.episode]).toEqual([2, 2, 0, 0, 1, 1]);
    expect([...pairs.scenario]).toEqual([2, 2, 0, 0, 1, 1]);
    expect([...pairs.turn]).toEqual([0, 1, 0, 1, 0, 1]);
  });

  it.each<[string, ArrayBufferView, string]>([
    ['<f8', Float64Array.from([1, 1, 2, 2.5, 3, 3]), 'holds 2.5'],
    ['<f8', Float64Array.from([1, 1, 2, NaN, 3, 3]), 'holds NaN'],
    ['<f8', Float64Array.from(PLAIN, (label) => 2 ** 53 + label * 2), 'as a float, which stands for several'],
  ])('are refused if %s values do not identify one label', async (type, data, message) => {
    const episode = await labels(type, data);
    await expect(readTurnPairs({ ...sides, episode })).rejects.toThrow(message);
  });

  it('are refused as turn numbers if they exceed exact integers', async () => {
    for (const [type, data] of [
      ['<i8', bigs((label) => label * 2n ** 32n)],
      ['<i4', Int32Array.from([0, 1, 0, 1, 0, -1])],
      ['|S1', Buffer.from('010101')],
    ] as const) {
      const turn = await labels(type, data);
      await expect(readTurnPairs({ ...sides, turn })).rejects.toThrow('whole numbers from 0 to 2147483647');
    }
  });
});

describe('arrays of two sides', () => {
  it('are refused if their numbers of rows differ, or if there are none', async () => {
    const short = await saveNpy('short.npy', ['<f8', [3, 2], new Float64Array(6)]);
    const empty = await saveNpy('empty.npy', ['<f8', [0, 2], new Float64Array(0)]);
    await expect(readSides({ ...sides, b: short })).rejects.toThrow(/short.npy has 3 rows; expected 6/);
    await expect(run(['isc', '--a', sides.a, '--b', short])).rejects.toThrow(/short.npy has 3 rows/);
    await expect(readSides({ a: empty, b: empty })).rejects.toThrow(/has shape \[0, 2\]/);
  });
});

describe('a file of splits', () => {
  const ids = new Map([
    ['7', 0],
    ['8', 1],
    ['9007199254740993', 2],
    ['talk', 3],
  ]);
  const read = async (text: string) => {
    const path = join(await temporaryFolder(), 'splits.json');
    await writeFile(path, text);
    return readSplits(path, ids);
  };

  it('names test episodes by their labels', async () => {
    expect(await read('{"alpha": 0.5, "test_episodes": [[7], [8, "9007199254740993", "talk"]]}')).toEqual({
      alpha: 0.5,
      testEpisodes: [[0], [1, 2, 3]],
    });
    expect(await read('\uFEFF{"test_episodes": [[7]]}')).toEqual({ testEpisodes: [[0]] });
  });

  it.each([
    ['{"alpha": "100", "test_episodes": [[7]]}', 'alpha "100", which is not a finite number above 0'],
    ['{"alpha": -5, "test_episodes": [[7]]}', 'alpha -5'],
    ['{"alpha": 0, "test_episodes": [[7]]}', 'alpha 0'],
    ['{"alpha": 1e999, "test_episodes": [[7]]}', 'is not a finite number above 0'],
    ['{"alpha": null, "test_episodes": [[7]]}', 'alpha null'],
    ['{"alpha": [1], "test_episodes": [[7]]}', 'alpha [1]'],
    ['{"alpha": 1, "test_episodes": [[7], [6]]}', 'the episode 6, which no row has, in test_episodes[1]'],
    ['{"alpha": 1, "test_episodes": [[7.5]]}', '7.5, which is no label'],
    ['{"alpha": 1, "test_episodes": [[true]]}', 'true, which is no label'],
    ['{"alpha": 1, "test_episodes": [[9007199254740993]]}', 'JSON cannot hold exactly'],
    ['{"alpha": 1, "test_episodes": [[]]}', 'no list of episodes in test_episodes[0]'],
    ['{"alpha": 1, "test_episodes": [7]}', 'no list of episodes in test_episodes[0]'],
    ['{"alpha": 1, "test_episodes": []}', 'no list of splits'],
    ['{"alpha": 1}', 'no list of splits'],
    ['[1, 2]', 'holds no object'],
    ['{"alpha": 1,\n "test_episodes": [[7]],}', 'is not JSON at line 2, column 25'],
  ])('is refused for %s', async (text, message) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'MEASURE_INPUT' });
    await expect(read(text)).rejects.toThrow(message);
  });

  it('is refused in strict mode, which makes its own splits', async () => {
    const flags = ['sync-r2', '--a', sides.a, '--b', sides.b, '--mode', 'strict', '--splits', 'x.json'];
    await expect(run(flags)).rejects.toThrow('--splits goes with paper mode');
  });
});

describe('a seed', () => {
  const draws = (...seed: number[]): number[] => {
    const random = seededRandom(...seed);
    return Array.from({ length: 8 }, () => random.uniform());
  };

  it('counts with all of its bits', () => {
    const seeds = [
      1,
      2 ** 32 + 1,
      2 ** 33 + 1,
      2 ** 40 + 1,
      2 ** 52 + 1,
      Number.MAX_SAFE_INTEGER,
      2 ** 32 - 1,
    ];
    expect(new Set(seeds.map((seed) => String(draws(seed, 3)))).size).toBe(seeds.length);
  });

  it('below 32 bits draws the same as in earlier versions', () => {
    expect(draws(1, 3)[0]).toBe(0.5749866804597903);
    expect(draws(4294967295, 3)[0]).toBe(0.579152686258479);
  });

  it('that is no exact integer is refused', async () => {
    const argv = ['isc', '--a', sides.a, '--b', sides.b, '--permutations', '9'];
    for (const seed of ['9007199254740993', '1e30', '1.5'])
      await expect(run([...argv, '--seed', seed])).rejects.toThrow(`--seed is ${seed}`);
  });
});
