/**
 * Waiting times in the viewer: for a list of fifty runs, for a run of a thousand episodes, and for a step of scrubbing,
 * also with a hundred slow browsers connected.
 */
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { look, openBrowser } from '../test/fixtures/viewer/browser.ts';
import { startViewer, stopViewer } from '../test/fixtures/viewer/viewer-program.ts';
import { appendLines, episodeName, scoreLine, writeRunFolder } from '../test/fixtures/viewer/run-folder.ts';
import { connectSlowly } from './viewer/slow-browsers.ts';

export const title = 'The viewer: first paint, scrubbing, slow browsers';

const RUNS = 50;
const EPISODES = 1000;
const TURNS = 12;
const SLOW = 100;
const REPEATS = 5;

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const runs = await mkdtemp(join(tmpdir(), 'entrain-bench-viewer-'));
  await writeRuns(runs);
  const viewer = await startViewer(runs);
  const browser = await openBrowser();
  try {
    const ofRun = `${viewer.url}/?run=large#${episodeName(500)}`;
    const list = await paints(browser, { url: `${viewer.url}/`, ready: `.run-line >> nth=${RUNS - 1}` });
    const large = await paints(browser, { url: ofRun, ready: '.bubble' });
    const scrub = await scrubMs(browser, ofRun);
    const slow = await connectSlowly(viewer.url, { run: 'large', count: SLOW });
    const beside = await paints(browser, { url: ofRun, ready: '.bubble' });
    slow.close();
    return {
      table: [
        ['what', 'first paint', 'all of it', 'bar'],
        [`list of ${RUNS} runs: all lines stand`, ...list, '≤ 1000 ms'],
        [`run of ${EPISODES} episodes: its first words stand`, ...large, '≤ 1000 ms'],
        [`the same beside ${SLOW} browsers that follow it and read nothing`, ...beside, ''],
        ['one step of scrubbing', '', msText(scrub), '≤ 50 ms'],
        ['the page, compressed', '', `${((await compressedBytes()) / 1000).toFixed(0)} kB`, '≤ 200 kB'],
      ],
      notes: [
        `Medians of ${REPEATS}. Chromium without a window on the same machine, from the navigation on, nothing in its cache; ${TURNS} turns an episode. The run was read once before.`,
      ],
    };
  } finally {
    await browser.close();
    await stopViewer(viewer);
    await rm(runs, { recursive: true, force: true });
  }
}

async function writeRuns(runs: string): Promise<void> {
  for (let at = 1; at < RUNS; at += 1) {
    const folder = await writeRunFolder(runs, { run: `run-${at}`, episodes: 20, turns: TURNS });
    await appendLines(folder, 'scores.jsonl', [scoreLine({ condition: 'live' })]);
  }
  const large = await writeRunFolder(runs, { run: 'large', episodes: EPISODES, turns: TURNS });
  await appendLines(large, 'scores.jsonl', [scoreLine({ condition: 'live' })]);
}

async function medianMs(measure: () => Promise<number>): Promise<number> {
  await measure();
  const figures: number[] = [];
  for (let at = 0; at < REPEATS; at += 1) figures.push(await measure());
  return medianOf(figures);
}

const medianOf = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;

const msText = (ms: number): string => `${ms.toFixed(0)} ms`;

/** First paint, and until the page is ready: medians, as text, since the navigation began. */
async function paints(browser: Browser, of: { url: string; ready: string }): Promise<[string, string]> {
  await paint(browser, of);
  const found: [number, number][] = [];
  for (let at = 0; at < REPEATS; at += 1) found.push(await paint(browser, of));
  return [msText(medianOf(found.map(([first]) => first))), msText(medianOf(found.map(([, all]) => all)))];
}

async function paint(
  browser: Browser,
  { url, ready }: { url: string; ready: string },
): Promise<[number, number]> {
  const { page } = await look(browser, url);
  await page.locator(ready).first().waitFor();
  const found: [number, number] = await page.evaluate(
    `[performance.getEntriesByName('first-contentful-paint')[0]?.startTime, performance.now()]`,
  );
  await page.close();
  return found;
}

/** From the input to the frame that shows it. */
async function scrubMs(browser: Browser, url: string): Promise<number> {
  const { page } = await look(browser, url);
  const range = page.getByRole('slider');
  await range.waitFor();
  const step = (): Promise<number> =>
    range.evaluate(async (element) => {
      const input = element as unknown as { value: string; dispatchEvent(event: Event): void };
      const begin = performance.now();
      input.value = String((Number(input.value) + 5) % 11);
      input.dispatchEvent(new Event('input', { bubbles: true }));
      // One frame draws what the input changed; the next one comes when that is done.
      const frame = (globalThis as unknown as { requestAnimationFrame(take: () => void): void })
        .requestAnimationFrame;
      await new Promise<void>((resolve) => frame(() => frame(() => resolve())));
      return performance.now() - begin;
    });
  const ms = await medianMs(step);
  await page.close();
  return ms;
}

async function compressedBytes(): Promise<number> {
  const names = await readdir('dist/viewer', { recursive: true });
  const packed = names.filter((name) => name.endsWith('.br'));
  const sizes = await Promise.all(packed.map(async (name) => (await stat(join('dist/viewer', name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
