/** Advice that names a flag of `entrain start` names one that it takes. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readStartSettings, usage } from '../../../../src/cli/start/start-settings.ts';

const sources = (await readdir('src', { recursive: true })).filter((name) => name.endsWith('.ts'));
const texts = await Promise.all(sources.map((name) => readFile(join('src', name), 'utf8')));
/** `--flag of "entrain start"`, as errors word it. */
const advised = new Set(
  [...texts, await readFile('docs/errors.md', 'utf8')].flatMap((text) =>
    [...text.matchAll(/(--[a-z-]+)[^.\n]{0,60}of [`"]entrain start[`"]/g)].map(([, flag]) => flag),
  ),
);

it('takes every flag that an error advises for it', () => {
  expect(advised).toContain('--grace-seconds');
  for (const flag of advised) expect(usage()).toContain(`  ${flag} `);
});

it('takes the grace in whole seconds', async () => {
  expect((await readStartSettings(['--grace-seconds', '7'])).graceSeconds).toBe(7);
  expect((await readStartSettings([])).graceSeconds).toBe(60);
  await expect(readStartSettings(['--grace-seconds', 'soon'])).rejects.toMatchObject({ code: 'USAGE' });
});
