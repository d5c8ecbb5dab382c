import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openRunFolder, writeRunFile } from '../../../src/coordinator/run-folder.ts';
import { temporaryFolder } from '../../fixtures/stream/stream-fixture.ts';

it('only its owner can read what the coordinator writes into a run folder, drafts included', async () => {
  const umask = process.umask(0);
  try {
    const runs = await temporaryFolder();
    const folder = await openRunFolder(runs, { run: 'r1', branches: true });
    const modes = async (): Promise<[string, string][]> =>
      Promise.all(
        (await readdir(folder.path)).map(async (name): Promise<[string, string]> => {
          const { mode } = await stat(join(folder.path, name));
          return [name, (mode & 0o777).toString(8)];
        }),
      );
    expect(await modes()).toEqual(
      ['branches.jsonl.draft', 'events.jsonl.draft', 'transcript.jsonl.draft'].map((name) => [name, '600']),
    );
    await folder.keep();
    await writeRunFile(folder.path, {} as never);
    expect(await modes()).toEqual(
      ['branches.jsonl', 'events.jsonl', 'run.json', 'transcript.jsonl'].map((name) => [name, '600']),
    );
    await folder.close();
  } finally {
    process.umask(umask);
  }
});
