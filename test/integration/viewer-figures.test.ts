/** The viewer's figures and pages as its users see them: branches, layers, three agents, tiles, comparisons. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { violationsIn } from '../fixtures/viewer/browser.ts';
import {
  appendLines,
  besideLine,
  influenceLine,
  scoreLine,
  utteranceLine,
  writeRunFolder,
} from '../fixtures/viewer/run-folder.ts';
import { showRuns } from '../fixtures/viewer/shown-runs.ts';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const viewed = showRuns(async (runs) => {
  const done = await writeRunFolder(runs, { run: 'done', episodes: 6 });
  await appendLines(done, 'scores.jsonl', [
    scoreLine({ condition: 'live' }),
    scoreLine({ condition: 'monologue', excess: 0.001 }),
  ]);
  await writeMoved(runs);
  await writeThree(runs);
  await writeRunFolder(runs, { run: 'busy', episodes: 5, isFinished: false, isAlive: true, openFrom: 1 });
});

/** A run with branches: the first utterance moved ben by 0.8, the second moved ada by nothing. */
async function writeMoved(runs: string): Promise<void> {
  const folder = await writeRunFolder(runs, { run: 'moved', episodes: 4 });
  await appendLines(folder, 'branches.jsonl', [
    { episode: 'e0001', turn: 0, k: 1, text: 'something else' },
    { episode: 'e0001', turn: 0, k: 2, text: 'a third thing' },
    { episode: 'e0001', turn: 1, k: 1, text: 'no difference' },
  ]);
  await appendLines(folder, 'scores.jsonl', [
    ...[0.1, 0.2].map((excess) => scoreLine({ condition: 'live', samples: 800 * excess, excess })),
    scoreLine({ condition: 'live', samples: 200 }),
    scoreLine({ condition: 'live', sourceRole: 2 }),
    scoreLine({ condition: 'monologue', excess: 0, samples: 60 }),
    scoreLine({ condition: 'monologue', excess: 0 }),
    scoreLine({ condition: 'dose:0.5', excess: 0.1 }),
    influenceLine({ condition: 'live', value: 0.47, moves: { 'e0001 0': { 0: 0.8, 1: 0.4, 2: 0.2 } } }),
    influenceLine({ condition: 'live', value: 0.41, sourceRole: 2, moves: { 'e0001 1': { 0: 0, 1: 0 } } }),
    influenceLine({ condition: 'monologue', value: 0 }),
    besideLine({
      condition: 'live',
      map: [
        [0.1, 0.2],
        [0.3, -0.1],
      ],
      turns: { e0001: { 0: 0.05, 2: -0.01 }, e0003: { 0: 0.02, 2: 0.065 } },
    }),
    besideLine({ condition: 'monologue', map: [[0.01, -0.06]], turns: {} }),
  ]);
}

/** Three agents: ada moves both others, cas nobody. */
async function writeThree(runs: string): Promise<void> {
  const order = ['ada', 'ben', 'cas'];
  const folder = await writeRunFolder(runs, {
    run: 'three',
    episodes: 3,
    turns: 6,
    order,
    conditions: ['live'],
  });
  const of = (sourceRole: number, targetRole: number, value: number): object[] => [
    scoreLine({ condition: 'live', agents: 3, sourceRole, targetRole, excess: value / 2 }),
    influenceLine({ condition: 'live', agents: 3, sourceRole, targetRole, value }),
  ];
  await appendLines(folder, 'scores.jsonl', [
    ...of(1, 2, 0.6),
    ...of(1, 3, 0.3),
    ...of(2, 1, 0.2),
    ...of(2, 3, 0.25),
    ...of(3, 1, 0),
    ...of(3, 2, 0),
  ]);
}

const textOf = (page: Page, selector: string): Promise<string[]> => page.locator(selector).allInnerTexts();
const isWideAsWindow = (page: Page): Promise<boolean> =>
  page.evaluate('document.documentElement.scrollWidth <= innerWidth');

describe('a run', () => {
  it('says in one sentence what the branches show, and colours what was said by how far it moved the listener', async () => {
    const { page, complaints } = await viewed.look('/?run=moved#e0001');
    await page.locator('.effect').first().waitFor();
    expect(await page.getByRole('status').innerText()).toBe(
      'They act on one another: in this study, at this temperature, what ada says makes 47\u00a0% of the variation of ben’s next state, and what ben says 41\u00a0% of ada’s. In monologue: 0\u00a0%.',
    );
    expect(await textOf(page, '.effect')).toEqual(['moved ben 0.80 SD', 'moved ada 0.00 SD']);
    expect(await page.locator('.effect').first().getAttribute('title')).toMatch(
      /0\.80 SD .* exactly 0; [^]*\n0\.80 {2}ada says 0 of e0001\n0\.40 {2}something else\n0\.20 {2}a third thing$/,
    );
    const tints = (): Promise<string[]> =>
      page.evaluate(
        `[...document.querySelectorAll('.bubble')].map((one) => one.style.getPropertyValue('--tint'))`,
      );
    expect(await tints()).toEqual(['100%', '0%', '0%', '0%']);
    await page.locator('.alternatives summary').first().click();
    expect(await textOf(page, '.alternatives[open] .move-value')).toEqual(['0.80', '0.40', '0.20']);
    await page.getByLabel('Colour').selectOption('part');
    // Four turn pairs have a part: 0.05 and −0.01, times four.
    expect(await textOf(page, '.effect')).toEqual(['R² 0.20', 'R² −0.04']);
    // The strongest of the run is 0.26.
    expect(await tints()).toEqual(['77%', '0%', '0%', '0%']);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows the map of layers beside its null, the best cell first, any cell by the arrow keys, and lag and dose', async () => {
    const { page, complaints } = await viewed.look('/?run=moved#e0001');
    await page.locator('.layer-map .readout').waitFor();
    expect(await textOf(page, '.layer-map .readout')).toEqual([
      'ada layer 2 → ben layer 1: +0.300, null −0.010 · the largest of them',
    ]);
    await page.locator('.maps canvas').first().focus();
    await page.keyboard.press('ArrowRight');
    expect(await textOf(page, '.layer-map .readout')).toEqual([
      'ada layer 1 → ben layer 2: +0.200, null −0.010',
    ]);
    const painted: boolean = await page.evaluate(
      `[...document.querySelectorAll('.maps canvas')].every((one) => one.getContext('2d').getImageData(30, 30, 1, 1).data[3] > 0)`,
    );
    expect(painted).toBe(true);
    expect(await page.locator('.trend title').allTextContents()).toEqual([
      'live, ada → ben: 1: +0.250 [+0.200, +0.300], 3: +0.120 [+0.020, +0.220]',
      'monologue, ada → ben: 1: 0.000 [−0.050, +0.050], 3: +0.120 [+0.020, +0.220]',
      'ada → ben: 0: 0.000 [−0.050, +0.050], 0.5: +0.100 [+0.050, +0.150], 1: +0.250 [+0.200, +0.300]',
    ]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('saves a figure as PNG, SVG and CSV', async () => {
    const { page, complaints } = await viewed.look('/?run=moved#e0001');
    await page.locator('.layer-map .saves').waitFor();
    const saved = async (figure: string, kind: string): Promise<Buffer> => {
      const waiting = page.waitForEvent('download');
      await page.locator(`${figure} .saves`).getByRole('button', { name: kind }).click();
      return readFile(await (await waiting).path());
    };
    expect(await textOf(page, '.course .readout')).toEqual([
      'At 200 turn pairs: excess +0.250 [+0.200, +0.300]',
    ]);
    await page.locator('.course .u-over').hover({ position: { x: 60, y: 60 } });
    await page.getByText('At 80 turn pairs: excess +0.100 [+0.050, +0.150]').waitFor();
    expect((await saved('.ladder', 'SVG')).toString()).toMatch(/>Run moved<[^]*>● shown[^]*>3 Intervention/);
    expect((await saved('.ladder', 'CSV')).toString()).toContain('live,ada → ben,1,2,');
    for (const figure of ['.ladder', '.layer-map', '.course']) {
      const png = await saved(figure, 'PNG');
      expect(png.subarray(1, 4).toString()).toBe('PNG');
      expect(png.readUInt32BE(16)).toBeGreaterThan(300);
    }
    expect((await saved('.layer-map', 'SVG')).toString()).toMatch(/^<svg [^]*<image /);
    expect((await saved('.layer-map', 'CSV')).toString()).toContain('2,1,0.3,-0.01');
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('shows of three agents who moves whom, as a matrix and as arrows, on a page no longer than the window', async () => {
    for (const width of [1280, 390]) {
      const { page, complaints } = await viewed.look('/?run=three#e0001', { width });
      if (width === 390) await page.getByRole('button', { name: 'findings' }).click();
      await page.locator('.who-matrix').waitFor();
      expect(await textOf(page, '.who-matrix tbody tr:first-child td')).toEqual([
        '',
        '60\u00a0%',
        '30\u00a0%',
      ]);
      const widths: string[] = await page.evaluate(
        `[...document.querySelectorAll('.arrow .shaft')].map((one) => one.getAttribute('stroke-width'))`,
      );
      expect(widths.map(Number)).toEqual(
        [9, 5, 3 + 2 / 3, 4 + 1 / 3, 1, 1].map((px) => expect.closeTo(px, 5) as number),
      );
      expect(await page.locator('.arrow.pale').count()).toBe(2);
      expect(await isWideAsWindow(page)).toBe(true);
      const height: number = await page.evaluate('document.documentElement.scrollHeight');
      expect(height).toBeLessThan(width === 390 ? 3200 : 801);
      expect(complaints).toEqual([]);
      await page.close();
    }
  });

  it('shows episodes at once as tiles, follows one until it ends, and another when it is picked', async () => {
    const { page, complaints } = await viewed.look('/?run=busy');
    await page.locator('.tile').nth(3).waitFor();
    const shown = (): Promise<string> => page.locator('.briefing h2').innerText();
    const followed = /e\d+/.exec(await shown())?.[0] ?? '';
    const other = followed === 'e0002' ? 'e0003' : 'e0002';
    const folder = join(viewed.runs, 'busy');
    await appendLines(folder, 'transcript.jsonl', [
      utteranceLine({ episode: other, turn: 4, text: 'elsewhere' }),
    ]);
    await page.locator('.tile-words', { hasText: 'elsewhere' }).waitFor();
    expect(await shown()).toContain(followed);
    await page.locator('.tile', { hasText: 'elsewhere' }).click();
    await expect.poll(shown).toContain(other);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('beside a run', () => {
  it('compares two conditions of a run, and two runs, on one scale', async () => {
    const { page, complaints } = await viewed.look('/?run=moved');
    await page.getByRole('link', { name: 'Compare' }).click();
    await page.locator('.compare .row').first().waitFor();
    const sides = (): Promise<string[]> =>
      page
        .locator('.picker select')
        .evaluateAll((all) => all.map((one) => (one as unknown as { value: string }).value));
    // The conditions to pick from come with the list of runs, which is another answer than the figures.
    await expect.poll(sides).toEqual(['moved', 'live', 'moved', 'monologue']);
    const titles = await page.locator('.compare .panel').nth(1).locator('.row title').allTextContents();
    expect(titles.every((title) => title.startsWith('monologue'))).toBe(true);
    const zeros: string[] = await page.evaluate(
      `[...document.querySelectorAll('.compare .zero')].map((one) => one.getAttribute('x1'))`,
    );
    expect(new Set(zeros).size).toBe(1);
    // The maps too: that of one condition alone would be as dark as that of the other.
    const scales = (await textOf(page, '.map-scale')).map((text) => text.replaceAll(/\s+/g, ' ').trim());
    expect(scales).toEqual(['−0.30 +0.30', '−0.30 +0.30']);
    await page.getByLabel('Right').getByLabel('Run').selectOption('done');
    await page.waitForURL(/compare=moved%3Alive&compare=done$/);
    await page.getByText('live: they hear one another').waitFor();
    await page.getByText('Their hidden states go together').waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('leads from a figure to its definition in the glossary', async () => {
    const { page, complaints } = await viewed.look('/?run=moved');
    await page.locator('.definition summary').first().click();
    await page.getByRole('link', { name: 'In the glossary' }).first().click();
    await page.locator('#influence:target').waitFor();
    expect(await page.locator('#influence').innerText()).toMatch(/^influence[^]*choice of words makes/);
    for (const term of ['excess', 'paper-mode', 'strict-mode'])
      expect(await page.locator(`#${term}`).count()).toBe(1);
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe('for everybody', () => {
  it('has nothing that axe finds moderate or worse, light and dark', async () => {
    const axe = await readFile(AXE, 'utf8');
    for (const [path, ready, ...widths] of [
      ['/?runs', '.run-line', 1280],
      ['/?run=done#e0001/t2', '.row', 1280, 390],
      ['/?run=moved#e0001/t1', '.maps', 1280],
      ['/?run=three#e0001', '.who-matrix', 1280],
      ['/?run=busy', '.tile', 1280],
      ['/?compare=moved:live&compare=moved:monologue', '.row', 1280],
      ['/?glossary#influence', '.glossary dt', 1280],
      ['/?run=none', '.empty', 1280],
    ] as const) {
      const { page } = await viewed.look(path);
      await page.locator(ready).first().waitFor({ state: 'attached' });
      await page.evaluate('document.querySelectorAll("details").forEach((one) => (one.open = true))');
      await page.evaluate(axe);
      for (const width of widths) {
        await page.setViewportSize({ width, height: 800 });
        // What stands there is the same in the dark: only its colours are looked at again.
        for (const [colorScheme, rules] of [
          ['light', '{}'],
          ['dark', '{ runOnly: ["color-contrast", "link-in-text-block"] }'],
        ] as const) {
          await page.emulateMedia({ colorScheme });
          // Canvases are painted anew a frame later.
          await expect
            .poll(() => violationsIn(page, rules), { message: `${path} ${width} ${colorScheme}` })
            .toEqual([]);
        }
      }
      await page.close();
    }
  }, 180_000);
});
