/**
 * Waiting times in the viewer: for a list of fifty runs, for a run of a thousand episodes, and for a step of scrubbing,
 * also with a hundred slow browsers connected.
 */
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { look, openBrowser } from '../test/fixtures/viewer/browser.ts';
import { startViewer, stopViewer } from '../test/fixtures/viewer/viewer-program.ts';
import { appendLines, episodeName, scoreLine, writeRunFolder } from '../test/fixtures/viewer/run-folder.ts';

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
    const list = await medianMs(() => paint(browser, `${viewer.url}/`, `.run-line >> nth=${RUNS - 1}`));
    const large = await medianMs(() =>
      paint(browser, `${viewer.url}/?run=large#${episodeName(500)}`, '.bubble'),
    );
    const scrub = await scrubMs(browser, `${viewer.url}/?run=large#${episodeName(500)}`);
    const slow = await Promise.all(Array.from({ length: SLOW }, () => slowBrowser(viewer.url)));
    const beside = await medianMs(() =>
      paint(browser, `${viewer.url}/?run=large#${episodeName(500)}`, '.bubble'),
    );
    for (const socket of slow) socket.destroy();
    return {
      table: [
        ['what', 'median of 5'],
        [`list of ${RUNS} runs: all lines stand`, `${list.toFixed(0)} ms`],
        [`run of ${EPISODES} episodes: its first words stand`, `${large.toFixed(0)} ms`],
        [`the same beside ${SLOW} browsers that follow it and read nothing`, `${beside.toFixed(0)} ms`],
        ['one step of scrubbing', `${scrub.toFixed(0)} ms`],
        ['the page, compressed', `${((await compressedBytes()) / 1000).toFixed(0)} kB`],
      ],
      notes: [
        `Chromium without a window on the same machine, from the navigation on; ${TURNS} turns an episode. The run was read once before.`,
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
  return figures.toSorted((a, b) => a - b)[Math.floor(REPEATS / 2)] ?? NaN;
}

async function paint(browser: Browser, url: string, ready: string): Promise<number> {
  const begin = performance.now();
  const { page } = await look(browser, url);
  await page.locator(ready).first().waitFor();
  const ms = performance.now() - begin;
  await page.close();
  return ms;
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

async function slowBrowser(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(`GET /api/feed?run=large HTTP/1.1\r\nHost: ${hostname}\r\n\r\n`);
  socket.pause();
  return socket;
}

async function compressedBytes(): Promise<number> {
  const names = await readdir('dist/viewer', { recursive: true });
  const packed = names.filter((name) => name.endsWith('.br'));
  const sizes = await Promise.all(packed.map(async (name) => (await stat(join('dist/viewer', name))).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}
