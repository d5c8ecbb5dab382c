/** A browser that is left open for half an hour beside a busy run: whether its page, or the viewer behind it, grows. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { startNats } from '../test/fixtures/programs/nats-fixture.ts';
import { look, openBrowser } from '../test/fixtures/viewer/browser.ts';
import { startViewer, stopViewer } from '../test/fixtures/viewer/viewer-program.ts';
import { startBusyRun } from './viewer/busy-run.ts';
import { traceMainThread } from './viewer/main-thread.ts';
import { growthText, memoryOf, residentMib, type PageMemory } from './viewer/page-memory.ts';

export const title = 'A browser left open for half an hour beside a busy run';
export const isLong = true;

const RUN = 'busy';
const DYADS = 32;
const TOKENS_PER_SECOND = 15;
const BEFORE = 500;
const MINUTES = 30;
/** Growth counts from here on; under load single samples differ by a third, so medians of some minutes are compared. */
const SETTLED = 5;
const STRETCH = 5;
const SHOWN = [1, 5, 10, 15, 20, 25, 30];
const MINUTE_MS = 60_000;
const TRACE_MS = 20_000;

interface Minute extends PageMemory {
  minute: number;
  viewerMib: number;
}

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const runs = await mkdtemp(join(tmpdir(), 'entrain-bench-open-'));
  const nats = await startNats(['coordinator', 'viewer'], { runs: [RUN] });
  const env = { NATS_URL: nats.url, NATS_USER: 'viewer', NATS_PASSWORD: 'viewer-secret' };
  const plan = { runs, run: RUN, natsUrl: nats.url, dyads: DYADS, tokensPerSecond: TOKENS_PER_SECOND };
  const busy = await startBusyRun({ ...plan, before: BEFORE });
  const viewer = await startViewer(runs, ['--port', '0', '--live'], env);
  const browser = await openBrowser();
  try {
    const { page, complaints } = await look(browser, `${viewer.url}/?run=${RUN}`);
    await page
      .locator('.tile')
      .nth(DYADS - 1)
      .waitFor();
    const minutes = await memoryByMinute(page, viewer.url);
    const main = await traceMainThread(browser, page, TRACE_MS);
    if (complaints.length > 0) throw new Error(`the page complains: ${complaints[0]}`);
    const { tokens, utterances, scores } = busy.spoken;
    return {
      table: [
        ['minute', 'heap of the page', 'its nodes', 'resident set of the viewer'],
        ...minutes.filter(({ minute }) => SHOWN.includes(minute)).map((at) => lineOf(at)),
        growthLine(minutes),
      ],
      notes: [
        `${DYADS} dyads of ${TOKENS_PER_SECOND} tokens/s each on a real nats-server, beside a folder written as coordinator and analyzer write it: ${BEFORE} episodes before; ${tokens} tokens, ${utterances} utterances and ${scores} scores in all. Chromium without a window, sampled each minute after a collection of garbage. The bar is at most +10 % from minute ${SETTLED} on.`,
        `Main thread in the ${TRACE_MS / 1000} s after that: 95 % of ${main.tasks} tasks of at least 1 ms took ≤ ${main.p95Ms.toFixed(1)} ms.`,
      ],
    };
  } finally {
    await browser.close();
    await busy.stop();
    await stopViewer(viewer);
    await nats.close();
    await rm(runs, { recursive: true, force: true });
  }
}

async function memoryByMinute(page: Page, url: string): Promise<Minute[]> {
  const opened = performance.now();
  const minutes: Minute[] = [];
  for (let minute = 1; minute <= MINUTES; minute += 1) {
    await delay(Math.max(0, opened + minute * MINUTE_MS - performance.now()));
    const at = { minute, ...(await memoryOf(page)), viewerMib: await residentMib(url) };
    minutes.push(at);
    // It takes half an hour: whoever waits sees how it goes.
    console.error(lineOf(at).join(', '));
  }
  return minutes;
}

const lineOf = ({ minute, heapMib, nodes, viewerMib }: Minute): string[] => [
  String(minute),
  `${heapMib.toFixed(2)} MiB`,
  String(nodes),
  `${viewerMib.toFixed(0)} MiB`,
];

/** The median of the last minutes against that of the first ones after the page had settled. */
function growthLine(minutes: readonly Minute[]): string[] {
  const settled = minutes.filter(({ minute }) => minute >= SETTLED);
  const growth = (of: (at: Minute) => number): string =>
    growthText(medianOf(settled.slice(0, STRETCH).map(of)), medianOf(settled.slice(-STRETCH).map(of)));
  return [
    `medians of minutes ${SETTLED} to ${SETTLED + STRETCH - 1} and ${MINUTES - STRETCH + 1} to ${MINUTES}`,
    growth((at) => at.heapMib),
    growth((at) => at.nodes),
    growth((at) => at.viewerMib),
  ];
}

const medianOf = (figures: readonly number[]): number =>
  figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? NaN;
