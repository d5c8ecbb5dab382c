/**
 * The viewer as its users see it: the real program over run folders, in a real browser, with nothing of it replaced.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
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

/** Markup, a script's end, right-to-left text, a character of two code units, and a word without an end. */
const HOSTILE = `<img src=x onerror="window.hacked=1"></script><b>bold</b> שלום 🙂 ${'w'.repeat(4000)}`;
const OTHER = `${HOSTILE}!`;

let open: string;
const viewed = showRuns(async (runs) => {
  const hostile = await writeRunFolder(runs, {
    run: 'hostile',
    text: HOSTILE,
    failure: HOSTILE,
    conditions: ['live'],
  });
  await appendLines(hostile, 'branches.jsonl', [{ episode: 'e0001', turn: 1, k: 1, text: OTHER }]);
  const tiled = { text: HOSTILE, isFinished: false, isAlive: true, openFrom: 0, episodes: 3 };
  await writeRunFolder(runs, { run: 'tiled', ...tiled });
  const done = await writeRunFolder(runs, { run: 'done', episodes: 6 });
  await appendLines(done, 'scores.jsonl', [
    scoreLine({ condition: 'live', samples: 80, excess: 0.2, provisional: true }),
    scoreLine({ condition: 'live' }),
    scoreLine({ condition: 'live', sourceRole: 2, excess: 0.31 }),
    scoreLine({ condition: 'monologue', excess: 0.001 }),
  ]);
  await appendLines(done, 'branches.jsonl', [
    { episode: 'e0001', turn: 1, k: 1, text: 'another answer' },
    { episode: 'e0001', turn: 1, k: 2, text: '' },
  ]);
  open = await writeRunFolder(runs, { run: 'open', isFinished: false });
});

it('asks again for a run whose first request was not answered', async () => {
  const page = await viewed.browser.newPage();
  await page.route('**/api/run?**', (route) => route.abort(), { times: 1 });
  await page.goto(`${viewed.viewer.url}/?run=done`);
  await page.locator('.state.finished').waitFor();
  await page.close();
});

const textOf = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();
const isWideAsWindow = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth <= innerWidth');

describe('the address', () => {
  it('is on the next free port where the usual one is in use, and says so', async () => {
    const taken = createServer().listen(9470, '127.0.0.1');
    // Somebody else may hold it: then it is in use as well, and `once` throws.
    await once(taken, 'listening').catch(() => undefined);
    const second = await startViewer(viewed.runs, []);
    try {
      const port = new URL(second.url).port;
      expect(Number(port)).toBeGreaterThan(9470);
      expect(second.said).toContain(`port 9470 is in use: the viewer took ${port}\n`);
      expect((await fetch(`${second.url}/api/runs`)).status).toBe(200);
    } finally {
      await stopViewer(second);
      taken.close();
    }
  });
});

describe('a viewer whose program ends', () => {
  it('is said to be gone, with what to start, until it is there again', async () => {
    const first = await startViewer(viewed.runs);
    const { page } = await look(viewed.browser, `${first.url}/?run=done#e0001`);
    await page.locator('.bubble').nth(3).waitFor();
    await stopViewer(first);
    await page.getByRole('alert').waitFor();
    expect(await page.getByRole('alert').innerText()).toMatch(/does not answer[^]*entrain view done/);
    await page.locator('.episodes a').nth(1).click();
    await page.getByText('The words of this episode could not be read').waitFor();
    const again = await startViewer(viewed.runs, ['--port', new URL(first.url).port]);
    await page.locator('.bubble').nth(3).waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.close();
    await stopViewer(again);
  }, 120_000);
});

describe('the first page', () => {
  it('is the one run under way, and the list stays in reach', async () => {
    const some = await mkdtemp(join(tmpdir(), 'entrain-viewer-first-'));
    await writeRunFolder(some, { run: 'over' });
    await writeRunFolder(some, { run: 'now', isFinished: false, isAlive: true, openFrom: 1 });
    const near = await startViewer(some);
    const { page, complaints } = await look(viewed.browser, near.url);
    await page.waitForURL(/\?run=now$/);
    await page.locator('.bubble').nth(3).waitFor();
    await page.getByRole('link', { name: 'entrain: all runs' }).click();
    await page.locator('.run-line').nth(1).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
    await stopViewer(near);
    await rm(some, { recursive: true, force: true });
  }, 120_000);
});

describe('the list of runs', () => {
  it('shows each run with its state and its verdict', async () => {
    const { page, complaints } = await viewed.look('/?runs');
    await page.locator('.run-line').nth(2).waitFor();
    const lines = await textOf(page, '.run-line');
    expect(lines.find((line) => line.startsWith('done'))).toMatch(/finished[^]*6 of 6[^]*go together beyond/);
    expect(lines.find((line) => line.startsWith('open'))).toContain('stopped');
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('a run', () => {
  it('shows the talk, the alternatives, and the figures of scores.jsonl', async () => {
    const { page, complaints, hosts } = await viewed.look('/?run=done#e0001/t2');
    await page.locator('.bubble').nth(3).waitFor();
    expect(await textOf(page, '.bubble > p')).toEqual(
      [0, 1, 2, 3].map((t) => `${t % 2 ? 'ben' : 'ada'} says ${t} of e0001`),
    );
    expect(await textOf(page, '.bubble.named > p')).toEqual(['ben says 1 of e0001']);
    await page.locator('.alternatives summary').click();
    expect(await textOf(page, '.alternative')).toEqual([
      'ben says 1 of e0001',
      'another answer',
      '(says nothing)',
    ]);
    // Secrets are opened by whoever wants to know; of all figures only the verdict is read aloud.
    expect(await page.getByText('It is old.').first().isVisible()).toBe(false);
    expect(await textOf(page, '[role="status"], [role="log"], [role="alert"], [aria-live]')).toEqual([
      await page.locator('.verdict > p').first().innerText(),
    ]);
    expect(await page.getByRole('status').innerText()).toMatch(/^Their hidden states go together/);
    expect(await textOf(page, '.evidence')).toEqual([
      'live: ada → ben +0.25 [+0.20, +0.30], ben → ada +0.31 [+0.26, +0.36] · monologue: ada → ben 0.00 [−0.05, +0.05] not shown',
    ]);
    const titles = await page.locator('.row title').allTextContents();
    expect(titles).toContain('live, ada → ben: excess +0.250 [+0.200, +0.300], p 0.005, q 0.010');
    expect(titles).toContain('live, ben → ada: excess +0.310 [+0.260, +0.360], p 0.005, q 0.010');
    expect(titles).toContain('monologue, ada → ben: SyncR² 0.400; shuffled null 0.100, pseudo null 0.300');
    expect([...hosts]).toEqual([new URL(viewed.viewer.url).host]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('plays an episode from its first turn', async () => {
    const { page } = await viewed.look('/?run=done#e0001');
    await page.locator('.bubble').nth(3).waitFor();
    // While the page's clock stands still only the click itself can show the first turn.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 60_000);
    await page.getByRole('button', { name: 'Play' }).click();
    const bubbles = (): Promise<number> => page.locator('.bubble').count();
    await expect.poll(bubbles, { timeout: 20_000 }).toBe(1);
    await page.clock.resume();
    await expect.poll(bubbles, { timeout: 60_000 }).toBe(4);
    await page.close();
  });

  it('finds an utterance by a word, and goes there', async () => {
    const { page } = await viewed.look('/?run=done');
    await page.getByRole('searchbox').fill('SAYS 2 of e0004');
    await page.locator('.found a').waitFor();
    expect(await textOf(page, '.found a')).toEqual([
      'shop e0004, round 2, monologue · ada\nada says 2 of e0004',
    ]);
    expect(await textOf(page, '.found mark')).toEqual(['says 2 of e0004']);
    await page.locator('.found a').click();
    await page.waitForURL(/#e0004\/t3$/);
    await page.locator('.bubble.named').waitFor();
    expect(await textOf(page, '.bubble.named > p')).toEqual(['ada says 2 of e0004']);
    await page.close();
  });

  it('follows what is said and scored while it is open', async () => {
    const { page, complaints } = await viewed.look('/?run=open');
    await page.locator('.bubble').nth(3).waitFor();
    await appendLines(open, 'transcript.jsonl', [
      utteranceLine({ episode: 'e0002', turn: 4, text: 'just now' }),
    ]);
    await page.getByText('just now').waitFor();
    await appendLines(open, 'scores.jsonl', [scoreLine({ condition: 'live', provisional: true })]);
    const claim = page.getByRole('status');
    await expect.poll(() => claim.innerText()).toMatch(/^So far: their hidden states/);
    // Another sentence is read aloud; another figure in it is not.
    for (const [value, live] of [
      [0.47, 'polite'],
      [0.52, 'off'],
    ] as const) {
      await appendLines(open, 'scores.jsonl', [influenceLine({ condition: 'live', value })]);
      await expect.poll(() => claim.innerText()).toContain(`${100 * value}\u00a0%`);
      expect(await claim.getAttribute('aria-live')).toBe(live);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  it.each([390, 1280])(
    'shows markup, right-to-left text and endless words as text, within %i pixels',
    async (width) => {
      const whole = async (page: Page): Promise<void> => {
        expect(await page.locator('img, .bubble b, .alternatives b, iframe, form[action]').count()).toBe(0);
        expect(await page.evaluate('window.hacked')).toBeUndefined();
        expect(await isWideAsWindow(page)).toBe(true);
      };
      const { page, complaints } = await viewed.look('/?run=hostile#e0001', { width });
      await page.locator('.bubble').nth(3).waitFor();
      await page.evaluate('document.querySelectorAll("details").forEach((one) => (one.open = true))');
      expect((await page.locator('.bubble > p').first().textContent())?.length).toBe(HOSTILE.length);
      const told = await page.locator('.person dd').allTextContents();
      expect(told.filter((text) => text.includes('<img src=x'))).toHaveLength(6);
      expect(await page.locator('.alternative').nth(1).textContent()).toBe(OTHER);
      expect(await page.getByText('The run failed: <img src=x').count()).toBe(1);
      await whole(page);
      if (width === 390) await page.getByRole('button', { name: 'episodes' }).click();
      await page.getByRole('searchbox').fill('שלום');
      await page.locator('.found a').nth(3).waitFor();
      await whole(page);
      for (const [path, ready] of [
        ['/?runs', '.run-line'],
        ['/?compare=hostile:live&compare=hostile', '.compare .panel h2'],
        ['/?run=tiled', '.tile'],
      ] as const) {
        await page.goto(viewed.viewer.url + path);
        await page.locator(ready).nth(1).waitFor();
        await whole(page);
      }
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it('says that there is no run of a name', async () => {
    const { page } = await viewed.look('/?run=none');
    await page.getByText('There is no run "none" here.').waitFor();
    await page.close();
  });
});
