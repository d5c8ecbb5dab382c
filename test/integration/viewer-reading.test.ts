/** What the viewer shows is told apart, stands where one looks for it, and is reached by one scroll on a phone. */
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import {
  appendLines,
  besideLine,
  influenceLine,
  scoreLine,
  utteranceLine,
  writeRunFolder,
} from '../fixtures/viewer/run-folder.ts';
import { showRuns } from '../fixtures/viewer/shown-runs.ts';

const PHONE = { width: 390, height: 844 };

const viewed = showRuns(async (runs) => {
  await writeDone(runs);
  await writeRunFolder(runs, { run: 'long', turns: 30, text: 'We talk of many things. '.repeat(40) });
  const open = { isFinished: false, isAlive: true, openFrom: 0 };
  await writeRunFolder(runs, { run: 'open', turns: 30, conditions: ['live'], episodes: 1, ...open });
});

/** Of `live` both directions and a layer map, of `monologue` one direction; a turn with equal alternatives. */
async function writeDone(runs: string): Promise<void> {
  const done = await writeRunFolder(runs, { run: 'done', episodes: 4 });
  const condition = 'live';
  await appendLines(done, 'scores.jsonl', [
    scoreLine({ condition }),
    scoreLine({ condition, sourceRole: 2 }),
    scoreLine({ condition: 'monologue', excess: 0 }),
    influenceLine({ condition, value: 0.4, moves: { 'e0001 1': { 0: 0.5, 1: 0.2, 2: 0.2, 3: 0.2 } } }),
    influenceLine({ condition, value: 0.3, sourceRole: 2 }),
    influenceLine({ condition: 'monologue', value: 0 }),
    besideLine({ condition, map: [[0.1, 0.2], [0, 0.3]], turns: {} }), // prettier-ignore
  ]);
  const other = { episode: 'e0001', turn: 1, text: 'Good morning!', finish: 'stop' };
  await appendLines(
    done,
    'branches.jsonl',
    [1, 2, 3].map((k) => ({ ...other, k })),
  );
}

const textsOf = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();

describe('two conditions side by side', () => {
  it.each([1024, 1440])('have each rung, with its number, at one height, %i pixels wide', async (width) => {
    const { page } = await viewed.look('/?compare=done:live&compare=done:monologue', { width });
    await page.locator('.compare .rung .row').first().waitFor();
    expect(await textsOf(page, '.compare .place')).toEqual(['3', '2', '1', '3', '2', '1']);
    const [left, right]: number[][] = await page.evaluate(
      `[...document.querySelectorAll('.compare section')].map((side) =>
        [...side.querySelectorAll('.rung')].map((rung) => Math.round(rung.getBoundingClientRect().top)))`,
    );
    expect(left).toEqual(right);
    await page.close();
  });
});

/** What scrolls up and down by itself on the page, besides the page. */
const SCROLLING = `[...document.querySelectorAll('body *')].filter((one) =>
  ['auto', 'scroll'].includes(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1
).map((one) => one.className)`;

describe('a run on a phone', () => {
  it('is one scroll, in every part of the page', async () => {
    const { page } = await viewed.look('/?run=long#e0001', PHONE);
    await page.locator('.bubble').nth(29).waitFor();
    for (const tab of ['talk', 'episodes', 'findings']) {
      await page.getByRole('button', { name: tab, exact: true }).click();
      expect([tab, await page.evaluate(SCROLLING)]).toEqual([tab, []]);
    }
    await page.close();
  });

  it('shows the talk of an episode that is picked, from its beginning', async () => {
    const { page } = await viewed.look('/?run=long#e0001', PHONE);
    await page.locator('.bubble').nth(29).waitFor();
    await page.evaluate('scrollTo(0, document.body.scrollHeight)');
    await page.getByRole('button', { name: 'episodes' }).click();
    await page.locator('.episodes a').nth(1).click();
    await page.getByRole('heading', { name: /^shop e0002/ }).waitFor();
    const top: number = await page.evaluate(`document.querySelector('.talk').getBoundingClientRect().top`);
    expect(top).toBeGreaterThan(0);
    await page.close();
  });

  it('leads to the latest words, and on to later ones who has seen them', async () => {
    const { page, complaints } = await viewed.look('/?run=open', PHONE);
    await page.locator('.bubble').nth(29).waitFor();
    const toEnd = page.getByRole('button', { name: 'Latest words' });
    await toEnd.click();
    await toEnd.waitFor({ state: 'detached' });
    const next = utteranceLine({ episode: 'e0001', turn: 30, text: 'That is the end of it.' });
    await appendLines(join(viewed.runs, 'open'), 'transcript.jsonl', [next]);
    await page.getByText('That is the end of it.').waitFor();
    const isSeen = `document.querySelector('.bubble:last-child').getBoundingClientRect().bottom <= innerHeight`;
    await expect.poll(() => page.evaluate(isSeen)).toBe(true);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('a run in a small window of a desk', () => {
  it.each([1024, 1180])('is as tall as the window, %i pixels wide', async (width) => {
    const { page } = await viewed.look('/?run=long#e0001', { width, height: 768 });
    await page.locator('.bubble').nth(29).waitFor();
    expect(await page.evaluate('document.documentElement.scrollHeight')).toBe(768);
    await page.close();
  });
});

describe('instructions that are longer than their place', () => {
  it('fade out, and are shown whole on demand', async () => {
    const { page } = await viewed.look('/?run=long#e0001');
    await page.getByText('Personas, goals and secrets').click();
    const box = page.locator('.persons');
    const isCut = (): Promise<boolean> =>
      box.evaluate(({ scrollHeight, clientHeight }) => scrollHeight > clientHeight + 1);
    await page.getByRole('button', { name: 'Show all of it' }).waitFor();
    expect(await isCut()).toBe(true);
    const mask = await page.evaluate(`getComputedStyle(document.querySelector('.persons')).maskImage`);
    expect(mask).toContain('gradient');
    await page.getByRole('button', { name: 'Show all of it' }).click();
    await expect.poll(isCut).toBe(false);
    await page.getByRole('button', { name: 'Show less' }).click();
    await expect.poll(isCut).toBe(true);
    await page.close();
  });
});

describe('layer maps', () => {
  it.each([390, 1280])('name the speaker and the part of each axis, %i pixels wide', async (width) => {
    const { page } = await viewed.look('/?run=done', { width });
    if (width === 390) await page.getByRole('button', { name: 'findings' }).click();
    await page.locator('.layer-map canvas').first().waitFor();
    expect(await textsOf(page, '.map-axes .down')).toEqual(Array(2).fill('Source layer of ada →'));
    expect(await textsOf(page, '.map-axes .across')).toEqual(Array(2).fill('Target layer of ben →'));
    const cut = await page.evaluate(
      `[...document.querySelectorAll('.map-axes span')].filter((one) =>
        one.scrollWidth > one.clientWidth || one.scrollHeight > one.clientHeight).length`,
    );
    expect(cut).toBe(0);
    await page.close();
  });
});

describe('alternatives of one wording', () => {
  it.each([390, 1024])('are one line that says how many they are, %i pixels wide', async (width) => {
    const { page } = await viewed.look('/?run=done#e0001', { width });
    await page.getByText('What was said, and 3 alternatives in 1 wording').click();
    const lines = await textsOf(page, '.alternatives li');
    expect(lines.map((line) => line.split('\n'))).toEqual([
      ['0.50', 'ben says 1 of e0001 said'],
      ['0.20', 'Good morning! 3 × the same words'],
    ]);
    // The note behind the words leaves them their room.
    const { width: room = 0 } = (await page.locator('.alternatives .wording').first().boundingBox()) ?? {};
    expect(room).toBeGreaterThan(120);
    await page.close();
  });
});

describe('episodes of one scenario', () => {
  it('are told apart by their round', async () => {
    const { page } = await viewed.look('/?run=done#e0003');
    await page.getByRole('heading', { name: /^shop e0003, round 2/ }).waitFor();
    expect(await textsOf(page, '.episodes .round')).toEqual(['Round 1', 'Round 2']);
    await page.getByLabel('Find a word in the talk').fill('says 3 of e0004');
    expect(await page.locator('.found a .soft').innerText()).toBe('shop e0004, round 2, monologue · ben');
    await page.close();
  });
});

describe('the plots of the ladder', () => {
  it.each([1024, 1280])(
    'are as wide as their place, so that nothing is scaled, %i pixels wide',
    async (width) => {
      const { page } = await viewed.look('/?run=done#e0001', { width });
      await page.locator('.rung .row').first().waitFor();
      const widths: number[][] = await page.evaluate(
        `[...document.querySelectorAll('.rung svg')].map((plot) =>
        [plot.viewBox.baseVal.width, Math.floor(plot.getBoundingClientRect().width)])`,
      );
      expect(widths.length).toBeGreaterThan(1);
      for (const [drawn, place] of widths) expect(drawn).toBe(place);
      await page.close();
    },
  );
});
