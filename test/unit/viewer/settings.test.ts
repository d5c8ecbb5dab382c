import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../../src/viewer/settings.ts';

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'entrain-view-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the run that is shown first', () => {
  it('is named, and lies in --runs', async () => {
    expect(await readSettings(['first', '--runs', folder])).toMatchObject({ runs: folder, run: 'first' });
  });

  it('may be its folder, as `entrain start` prints it: the other runs are those beside it', async () => {
    expect(await readSettings([join(folder, 'first')])).toMatchObject({ runs: folder, run: 'first' });
    expect(await readSettings([`${join(folder, 'first')}/`])).toMatchObject({ runs: folder, run: 'first' });
  });

  it('may stand beside a second one of the same folder', async () => {
    const both = { runs: folder, run: 'first', beside: 'second' };
    expect(await readSettings(['first', 'second', '--runs', folder])).toMatchObject(both);
    expect(await readSettings([join(folder, 'first'), join(folder, 'second')])).toMatchObject(both);
    expect(await readSettings([join(folder, 'first'), 'second'])).toMatchObject(both);
    for (const argv of [
      [join(folder, 'first'), join(folder, 'elsewhere', 'second')],
      ['first', 'second', 'third', '--runs', folder],
    ])
      await expect(readSettings(argv)).rejects.toMatchObject({ code: 'USAGE' });
  });

  it('has a name that may be one of a run', async () => {
    await expect(readSettings([join(folder, 'a b')])).rejects.toMatchObject({ code: 'USAGE' });
  });
});
