/** A scraper that reads /metrics once a second sees the final figures of a study that ends with --once. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort } from '../fixtures/programs/free-port.ts';
import { startDemo, writeSmallStudy } from '../fixtures/programs/demo.ts';

it('reads entrain_synchrony_final 1 before the programs end', async () => {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'entrain-scraped-'));
  const study = await writeSmallStudy(folder, { scenarios: 1, episodes: 1, maxTurns: 4, maxTokens: 6 });
  const demo = startDemo(folder, study, ['--once', '--port', String(port)]);
  const seen: string[] = [];
  const state = { gone: false };
  const scraping = (async () => {
    while (!state.gone) {
      const text = await fetch(`http://127.0.0.1:${port}/metrics`)
        .then((answer) => answer.text())
        .catch(() => '');
      seen.push(...text.split('\n').filter((line) => line.startsWith('entrain_synchrony_final{')));
      await new Promise((done) => setTimeout(done, 1000));
    }
  })();
  expect(await demo.ended, demo.output()).toBe(0);
  state.gone = true;
  await scraping;
  await rm(folder, { recursive: true, force: true });
  expect(seen.at(-1)).toMatch(/ 1$/);
}, 200_000);
