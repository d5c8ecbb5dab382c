import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../src/process/make-folder.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-folder-'));
  await writeFile(join(folder, 'file'), '');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a folder is made', () => {
  it('with those above it, and the topmost new one is said', async () => {
    expect(await makeFolder(join(folder, 'a/b/c'), 0o700)).toBe(join(folder, 'a'));
    expect((await stat(join(folder, 'a/b/c'))).mode & 0o777).toBe(0o700);
    expect(await makeFolder(join(folder, 'a/b/c'))).toBeUndefined();
    expect(await makeFolder(join(folder, 'a/b/d/../e'))).toBe(join(folder, 'a/b/e'));
  });

  it.each(['file', 'file/below', 'file/below/deeper'])(
    'not where a file stands in the way: %s',
    async (path) => {
      await expect(makeFolder(join(folder, path))).rejects.toThrow(/EEXIST|ENOTDIR/);
    },
  );

  it('not under /proc, and the error of the system comes at once', async () => {
    // Where there is no /proc, the root of the file system takes no folder either.
    await expect(makeFolder('/proc/entrain/runs/r1')).rejects.toThrow(/ENOENT|EROFS|EACCES|EPERM/);
  });
});
