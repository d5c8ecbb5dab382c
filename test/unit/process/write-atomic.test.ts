import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { writeAtomic } from '../../../src/process/write-atomic.ts';

const run = promisify(execFile);
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-whole-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it('writes a file that only its owner can read, and leaves no temporary file', async () => {
  await writeAtomic(join(folder, 'state.json'), '{"a":1}');
  await writeAtomic(join(folder, 'state.json'), '{"a":2}');
  expect(await readFile(join(folder, 'state.json'), 'utf8')).toBe('{"a":2}');
  expect((await stat(join(folder, 'state.json'))).mode & 0o777).toBe(0o600);
  expect(await readdir(folder)).toEqual(['state.json']);
});

it('keeps the old file whole when the new one cannot be written to its end', async () => {
  const path = join(folder, 'state.json');
  await writeFile(path, 'old');
  // A limit on the size of files fails a write half-way, as a full disk does.
  const module = join(import.meta.dirname, '../../../dist/src/process/write-atomic.js');
  const program = `process.on('SIGXFSZ', () => undefined);
    const { writeAtomic } = await import(${JSON.stringify(module)});
    await writeAtomic(${JSON.stringify(path)}, 'x'.repeat(100_000)).catch((error) => console.log(error.code));`;
  const shell = 'ulimit -f 8; exec "$@"';
  const argv = [process.execPath, '--input-type=module', '--eval', program];
  const { stdout } = await run('bash', ['-c', shell, 'bash', ...argv]);
  expect(stdout.trim()).toBe('EFBIG');
  expect(await readFile(path, 'utf8')).toBe('old');
  expect(await readdir(folder)).toEqual(['state.json']);
});

it('throws the system’s error if the folder cannot be written to', async () => {
  await expect(writeAtomic(join(folder, 'none', 'state.json'), 'x')).rejects.toMatchObject({
    code: 'ENOENT',
  });
  await chmod(folder, 0o700);
});
