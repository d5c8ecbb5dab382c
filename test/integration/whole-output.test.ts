/** What a command prints comes whole: a pipe takes 64 KB at once, and its reader may come late. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { seededRandom } from '../../src/numeric/random.ts';
import { npyOf } from '../fixtures/recordings/npy-file.ts';

const DIMS = 60;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-whole-'));
  for (const side of ['a', 'b']) {
    const random = seededRandom(1, side.charCodeAt(0));
    const values = Float32Array.from({ length: 80 * DIMS }, () => random.uniform());
    await writeFile(join(folder, `${side}.npy`), npyOf('<f4', [80, DIMS], values));
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('prints all figures of a matrix into a pipe whose reader comes late', () => {
  const command = `"$0" "$1" measure ccorr --a a.npy --b b.npy --json | (sleep 1; cat)`;
  const printed = spawnSync('sh', ['-c', command, process.execPath, resolve('bin/entrain.js')], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  expect(printed.stderr).toBe('');
  expect(printed.stdout.length).toBeGreaterThan(2 ** 17);
  expect(() => JSON.parse(printed.stdout) as unknown).not.toThrow();
});
