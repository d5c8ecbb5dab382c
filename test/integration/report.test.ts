/** A report in a real browser with the network off: one file, readable for everybody, on a phone as well. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { run } from '../../src/report/main.ts';
import { openBrowser } from '../fixtures/viewer/browser.ts';
import {
  appendLines,
  besideLine,
  episodeName,
  scoreLine,
  writeRunFolder,
} from '../fixtures/viewer/run-folder.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

let folder: string;
let browser: Browser;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-report-'));
  const place = await writeRunFolder(folder, { run: 'done', episodes: 6 });
  const score = { excess: 0.1, ciLow: 0, ciHigh: 0.2, pValue: 0.2 };
  await appendLines(place, 'scores.jsonl', [
    scoreLine({ condition: 'live', excess: 0.3 }),
    scoreLine({ condition: 'dose:0.5', excess: 0.1 }),
    scoreLine({ condition: 'monologue', excess: 0.01 }),
    {
      ...besideLine({
        condition: 'live',
        map: [[0.3, -0.1]],
        turns: { [episodeName(0)]: { 0: 0.1, 2: 0.2 }, [episodeName(2)]: { 0: 0.1, 2: 0 } },
      }),
      beside: { text: null, words: null, lag3: score, lag5: score },
    },
  ]);
  const outcome = { type: 'outcome', run: 'done', atMs: 1, agent: 'ada', name: 'success', source: 'rule' };
  await appendLines(
    place,
    'outcomes.jsonl',
    [0, 1, 2, 3].map((at) => ({ ...outcome, episode: episodeName(at), value: at % 2 })),
  );
  await run(['done', '--runs', folder, '--out', join(folder, 'report.html')]);
  browser = await openBrowser();
}, 120_000);
afterAll(async () => {
  await browser.close();
  await rm(folder, { recursive: true });
});

describe('a report in Chromium with the network off', { timeout: 120_000 }, () => {
  it.each(['light', 'dark'] as const)(
    'asks for nothing, and axe finds nothing, in %s',
    async (colorScheme) => {
      const context = await browser.newContext({ colorScheme, bypassCSP: true, offline: true });
      const page = await context.newPage();
      const asked: string[] = [];
      const complaints: string[] = [];
      page.on('request', (request) => asked.push(request.url()));
      page.on('console', (message) => complaints.push(message.text()));
      const file = pathToFileURL(join(folder, 'report.html')).href;
      await page.goto(file);
      expect(await page.locator('svg').count()).toBe(6);
      await page.evaluate(await readFile(AXE, 'utf8'));
      const found: { violations: { id: string; nodes: { html: string }[] }[] } =
        await page.evaluate('axe.run()');
      expect(found.violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
      expect([asked, complaints]).toEqual([[file], []]);
      await context.close();
    },
  );

  it('does not scroll sideways on a phone', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 800 } });
    await page.goto(pathToFileURL(join(folder, 'report.html')).href);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
    // A figure scrolls by itself, in place of words that nobody can read.
    const heights = await page
      .locator('figure .wide svg text')
      .evaluateAll((words) =>
        words.map(
          (word) =>
            (word as unknown as { getBoundingClientRect(): { height: number } }).getBoundingClientRect()
              .height,
        ),
      );
    expect(heights.length).toBeGreaterThan(0);
    expect(Math.min(...heights)).toBeGreaterThan(10);
    await page.close();
  });
});
