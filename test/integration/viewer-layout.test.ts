/** What stands on the viewer's pages is seen whole: tiles, names, the banner of a phone, runs that were stopped. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { look } from '../fixtures/viewer/browser.ts';
import {
  appendLines,
  influenceLine,
  scoreLine,
  utteranceLine,
  writeRunFolder,
} from '../fixtures/viewer/run-folder.ts';
import { showRuns } from '../fixtures/viewer/shown-runs.ts';
import { startViewer, stopViewer } from '../fixtures/viewer/viewer-program.ts';

const LONG_WORDS =
  'We need somebody who can sew the flags for the street party, and I said that I would ask around in the whole house tonight';
const LONG_NAMES = ['alexandra-of-the-hill', 'benjamin-the-younger', 'cassandra'];

const viewed = showRuns(async (runs) => {
  const conditions = ['live', 'shared-input'];
  await writeRunFolder(runs, {
    run: 'busy',
    episodes: 9,
    openFrom: 0,
    isFinished: false,
    isAlive: true,
    conditions,
  });
  const stopped = await writeRunFolder(runs, { run: 'stopped', episodes: 4, openFrom: 1, isFinished: false });
  await appendLines(stopped, 'scores.jsonl', [
    scoreLine({ condition: 'live', provisional: true }),
    scoreLine({ condition: 'monologue', excess: 0, provisional: true }),
  ]);
  const done = await writeRunFolder(runs, { run: 'done' });
  await appendLines(done, 'scores.jsonl', [1, 2].flatMap(figuresOf));
  const named = await writeRunFolder(runs, { run: 'named', order: LONG_NAMES, turns: 6 });
  const pairs = [1, 2, 3].flatMap((source) =>
    [1, 2, 3].filter((target) => target !== source).map((target) => [source, target]),
  );
  await appendLines(
    named,
    'scores.jsonl',
    pairs.map(([sourceRole = 1, targetRole = 2]) =>
      scoreLine({ condition: 'live', agents: 3, sourceRole, targetRole }),
    ),
  );
});

const figuresOf = (sourceRole: number): object[] =>
  ['live', 'monologue'].flatMap((condition) => [
    scoreLine({ condition, sourceRole, excess: condition === 'live' ? 0.2 : 0 }),
    influenceLine({ condition, sourceRole, value: condition === 'live' ? 0.4 : 0 }),
  ]);

/** Elements in the place that are cut: by its edge, or by their own. */
const cutIn = (page: Page, place: string, parts: string): Promise<string[]> =>
  page.evaluate(`(() => {
    const box = document.querySelector(${JSON.stringify(place)}).getBoundingClientRect();
    return [...document.querySelectorAll(${JSON.stringify(parts)})].flatMap((one) => {
      const { left, right, width } = one.getBoundingClientRect();
      const isPart = right > box.left && left < box.right;
      const isCut = left < box.left - 1 || right > box.right + 1 || (one instanceof HTMLElement && one.scrollWidth > Math.ceil(width) + 1);
      return isPart && isCut ? [one.textContent] : [];
    });
  })()`);

describe('episodes that are spoken at once', () => {
  it.each([390, 1280, 1680])('are whole tiles with their latest words, %i pixels wide', async (width) => {
    const { page, complaints } = await viewed.look('/?run=busy', { width });
    await page.locator('.tile').nth(8).waitFor();
    expect(await cutIn(page, '.tiles', '.tile, .tile > span')).toEqual([]);
    await page.getByText('9 episodes are spoken now; scroll for the others.').waitFor();
    await appendLines(join(viewed.runs, 'busy'), 'transcript.jsonl', [
      utteranceLine({ episode: 'e0001', turn: width, text: LONG_WORDS }),
    ]);
    const words = page.locator('.tile-words', { hasText: 'tonight' });
    await words.waitFor();
    // The end of the text is in sight, not its beginning.
    const isSeen: boolean = await page.evaluate(`(() => {
      const box = [...document.querySelectorAll('.tile-words')].find((one) => one.textContent.includes('tonight'));
      const range = document.createRange();
      range.selectNodeContents(box);
      return [...range.getClientRects()].at(-1).bottom <= box.getBoundingClientRect().bottom + 1;
    })()`);
    expect(isSeen).toBe(true);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('a run that was stopped', () => {
  it('shows nothing as if it were spoken, and plays what was said', async () => {
    const { page } = await viewed.look('/?run=stopped#e0003');
    await page.getByRole('button', { name: 'Play' }).waitFor();
    expect(await page.locator('.tile, .dot').count()).toBe(0);
    await page.getByText('Provisional: the run was stopped before its end.').waitFor();
    await page.close();
  });

  it('stands beside another one, each with its state', async () => {
    const { page, complaints } = await viewed.look('/?compare=stopped&compare=done');
    await page.locator('.compare .state').nth(1).waitFor();
    expect(await page.locator('.compare .state').allInnerTexts()).toEqual(['stopped', 'finished']);
    expect(await page.locator('.compare .rung .row').count()).toBeGreaterThan(4);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('is not said to be missing while the viewer is away, and is there when the viewer is', async () => {
    const first = await startViewer(viewed.runs);
    const { page } = await look(viewed.browser, `${first.url}/?glossary`);
    await page.route('**/api/run?*', (route) => route.abort());
    await page.goto(`${first.url}/?compare=stopped&compare=none`);
    await page.getByText('The viewer does not answer; trying again.').first().waitFor();
    expect(await page.getByText('There is no run').count()).toBe(0);
    await page.unroute('**/api/run?*');
    await page.locator('.compare .state').first().waitFor();
    await page.getByText('There is no run "none" here').waitFor();
    await page.close();
    await stopViewer(first);
  });
});

describe('two runs that are named', () => {
  it('are shown side by side by the address that is printed', async () => {
    const both = await startViewer(viewed.runs, ['stopped', 'done', '--port', '0']);
    expect(both.said).toContain('/?compare=stopped&compare=done\n');
    await stopViewer(both);
  });
});

describe('names of agents that are long', () => {
  it.each([390, 1280])('are shortened in figures, and none is cut, %i pixels wide', async (width) => {
    const { page } = await viewed.look('/?run=named', { width });
    if (width === 390) await page.getByRole('button', { name: 'findings' }).click();
    await page.locator('.rung .row').first().waitFor();
    expect(await cutIn(page, '.ladder', '.rung text')).toEqual([]);
    const directions = await page.locator('.rung .direction').allTextContents();
    expect(directions.some((text) => text.includes('… → '))).toBe(true);
    expect(await page.locator('.rung .row title').first().textContent()).toContain(LONG_NAMES[0]);
    await page.close();
  });
});

describe('the banner on a phone', () => {
  it('is the sentence alone, with its grounds on demand', async () => {
    const { page } = await viewed.look('/?run=done#e0001', { width: 390, height: 844 });
    await page.locator('.bubble').first().waitFor();
    const top: number = await page.evaluate(`document.querySelector('.tabs').getBoundingClientRect().top`);
    expect(top).toBeLessThan(250);
    expect(await page.locator('.evidence').isVisible()).toBe(false);
    await page.getByText('How sure that is').click();
    expect(await page.locator('.evidence').isVisible()).toBe(true);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.getByText('How sure that is').waitFor({ state: 'detached' });
    expect(await page.locator('.evidence').isVisible()).toBe(true);
    await page.close();
  });
});
