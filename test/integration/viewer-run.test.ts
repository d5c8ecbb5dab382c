/**
 * The viewer beside a run under way: what a newcomer sees who opens the printed address at once, tokens as they are
 * spoken, and figures that are those of /metrics and of the run folder.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { samplesIn, type Sample } from '../../src/viewer/health/health-parts.ts';
import type { FeedMessage, RunView, UtteranceView } from '../../src/viewer/view-data.ts';
import { startDemo, until, writeSmallStudy, type Demo } from '../fixtures/programs/demo.ts';
import { startNats } from '../fixtures/programs/nats-fixture.ts';
import { look, openBrowser } from '../fixtures/viewer/browser.ts';
import { writeRunFolder } from '../fixtures/viewer/run-folder.ts';
import { startViewer, stopViewer } from '../fixtures/viewer/viewer-program.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await openBrowser();
}, 120_000);
afterAll(() => browser?.close());

describe('a run whose programs are being started', () => {
  it('is waited for by the page, which shows the talk once it begins, and complains of nothing', async () => {
    const runs = await mkdtemp(join(tmpdir(), 'entrain-viewer-later-'));
    const nats = await startNats(['viewer'], { runs: ['later'] });
    const env = { NATS_URL: nats.url, NATS_USER: 'viewer', NATS_PASSWORD: 'viewer-secret' };
    const viewer = await startViewer(runs, ['later', '--live', '--port', '0'], env);
    try {
      const { page, complaints } = await look(browser, viewer.url);
      await page.getByText('The run is starting: its agents load their models.').waitFor();
      await writeRunFolder(runs, { run: 'later', isFinished: false, openFrom: 1 });
      await page.locator('.bubble').nth(3).waitFor();
      expect(complaints).toEqual([]);
    } finally {
      await stopViewer(viewer);
      await nats.close();
      await rm(runs, { recursive: true, force: true });
    }
  }, 120_000);
});

describe('entrain start', () => {
  let folder: string;
  let demo: Demo;
  let url: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'entrain-viewer-start-'));
    // The smallest study that gives a score in both directions.
    const size = { scenarios: 6, episodes: 3, maxTurns: 15, maxTokens: 5 };
    demo = startDemo(folder, await writeSmallStudy(folder, { ...size, conditions: ['live'] }));
    const address = await until(
      'the viewer',
      () => /viewer +(http:\S+)\/\?run=/.exec(demo.output()) ?? undefined,
      120_000,
    );
    url = address[1] ?? '';
  }, 180_000);
  afterAll(async () => {
    demo?.child.kill('SIGINT');
    await demo?.ended;
    if (folder) await rm(folder, { recursive: true, force: true });
  });

  it('prints the address of a viewer that shows each token as it is spoken, then figures equal to /metrics', async () => {
    const { page, complaints } = await look(browser, `${url}/?run=demo`);
    const messages = await readFeed(
      `${url}/api/feed?run=demo`,
      (message) => message.type === 'run' && message.entry.state === 'finished',
    );
    const said = messages.flatMap((one) => (one.type === 'utterance' ? [one.utterance] : []));
    const tokens = messages.flatMap((one) => (one.type === 'token' ? [one.token] : []));
    const last = said.at(-1);
    const spoken = tokens.filter(({ episode, turn }) => episode === last?.episode && turn === last.turn);
    expect(last?.text).toBe(
      spoken
        .map(({ text }) => text)
        .join('')
        .trim(),
    );
    const view = await until(
      'the final figures',
      async () => {
        const run = (await (await fetch(`${url}/api/run?run=demo`)).json()) as RunView;
        return run.figures.provisional ? undefined : run;
      },
      120_000,
    );
    expect((await wordsOf(url, view)).toSorted()).toEqual((await transcriptOf(demo)).toSorted());

    const metrics = /analyzer +(http:\S+\/metrics)/.exec(demo.output())?.[1] ?? '';
    const samples = samplesIn(await (await fetch(metrics)).text());
    // With what the page complained of, so that a failure says why it shows no end.
    await expect
      .poll(async () => [...complaints, await page.locator('.state').innerText()], { timeout: 120_000 })
      .toEqual(['finished']);
    const titles = page.locator('.rung .row title');
    for (const [name, source, target] of [
      ['ada → ben', 1, 2],
      ['ben → ada', 2, 1],
    ] as const) {
      const at = figuresIn(samples, { source, target });
      await expect.poll(() => titles.allTextContents()).toContain(`live, ${name}: ${at.strict}`);
      const shown = await titles.allTextContents();
      expect(shown.some((title) => title.startsWith(`live, ${name}: ${at.paper}`))).toBe(true);
    }
    expect(complaints).toEqual([]);
    await page.close();
  }, 300_000);
});

/** The figures of one direction on /metrics, as the page writes them. */
function figuresIn(
  samples: readonly Sample[],
  { source, target }: { source: number; target: number },
): { strict: string; paper: string } {
  const of = (name: string, ...labels: string[]): number => {
    const wanted = [`source_role="${source}"`, `target_role="${target}"`, ...labels];
    const found = samples.filter(
      (one) => one.name === name && wanted.every((label) => one.labels.includes(label)),
    );
    expect(found).toHaveLength(1);
    return found[0]?.value ?? NaN;
  };
  const write = (value: number): string => value.toFixed(3).replace('-', '−');
  const signed = (value: number): string => (value > 0 ? '+' : '') + write(value);
  const p = (value: number): string => (value < 0.001 ? '< 0.001' : value.toFixed(3));
  const strict = ['measure="sync_r2"', 'mode="strict"'];
  const excess = of('entrain_synchrony_excess_ratio', ...strict);
  const [low, high] = ['low', 'high'].map((bound) =>
    of('entrain_synchrony_ci_ratio', ...strict, `bound="${bound}"`),
  ) as [number, number];
  const [pValue, qValue] = ['pvalue', 'qvalue'].map((name) => of(`entrain_synchrony_${name}`, ...strict)) as [
    number,
    number,
  ];
  const score = of('entrain_synchrony_ratio', 'measure="sync_r2"', 'mode="paper"');
  return {
    strict: `excess ${signed(excess)} [${signed(low)}, ${signed(high)}], p ${p(pValue)}, q ${p(qValue)}`,
    paper: `SyncR² ${write(score)}`,
  };
}

async function wordsOf(url: string, { talks }: RunView): Promise<string[]> {
  const all = await Promise.all(
    talks.map(
      async ({ episode }) =>
        (await fetch(`${url}/api/words?run=demo&episode=${episode}`)).json() as Promise<UtteranceView[]>,
    ),
  );
  return all.flat().map(({ text }) => text);
}

async function transcriptOf({ folder }: Demo): Promise<string[]> {
  const lines = (await readFile(join(folder, 'transcript.jsonl'), 'utf8')).trim().split('\n');
  return lines.map((line) => (JSON.parse(line) as UtteranceView).text);
}

/** Every message of a feed until one that is the last. */
async function readFeed(url: string, isLast: (message: FeedMessage) => boolean): Promise<FeedMessage[]> {
  const answer = await fetch(url);
  const messages: FeedMessage[] = [];
  let text = '';
  for await (const chunk of answer.body ?? []) {
    text += Buffer.from(chunk as Uint8Array).toString();
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      if (!event.startsWith('data: ')) continue;
      const message = JSON.parse(event.slice(6)) as FeedMessage;
      messages.push(message);
      if (isLast(message)) return messages;
    }
  }
  return messages;
}
