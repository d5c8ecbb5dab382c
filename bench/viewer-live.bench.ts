/**
 * The viewer beside a busy run: how long the page's main thread works at a time while 32 dyads speak, whether the page
 * grows, and whether a hundred browsers that read too slowly are felt by the recording.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Browser } from 'playwright-core';
import { createKeys } from '../src/transport/stream/auth/access-token.ts';
import { startNats } from '../test/fixtures/programs/nats-fixture.ts';
import { look, openBrowser } from '../test/fixtures/viewer/browser.ts';
import { startViewer, stopViewer } from '../test/fixtures/viewer/viewer-program.ts';
import { startAnalyzer } from './live/analyzer.ts';
import { openFleet, type Fleet } from './live/dyads.ts';
import { startBusyRun } from './viewer/busy-run.ts';
import { traceMainThread } from './viewer/main-thread.ts';
import { growthText, memoryOf, metricOf, residentMib } from './viewer/page-memory.ts';
import { connectSlowly } from './viewer/slow-browsers.ts';

export const title = 'The viewer beside a busy run: main thread, memory, slow browsers';

const RUN = 'busy';
const DYADS = 32;
const TOKENS_PER_SECOND = 15;
const BEFORE = 500;
const SLOW = 100;
const SETTLED_MS = 40_000;
const OPEN_MS = 200_000;
const TRACE_MS = 20_000;
/** One stretch with the slow browsers or without. */
const STRETCH_MS = 6000;
const STRETCHES = 3;

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const runs = await mkdtemp(join(tmpdir(), 'entrain-bench-busy-'));
  const nats = await startNats(['coordinator', 'viewer'], { runs: [RUN] });
  const env = { NATS_URL: nats.url, NATS_USER: 'viewer', NATS_PASSWORD: 'viewer-secret' };
  const plan = { runs, run: RUN, natsUrl: nats.url, dyads: DYADS, tokensPerSecond: TOKENS_PER_SECOND };
  const busy = await startBusyRun({ ...plan, before: BEFORE });
  const viewer = await startViewer(runs, ['--port', '0', '--live'], env);
  const browser = await openBrowser();
  try {
    const recorded = await recordBeside(viewer.url);
    const page = await watchPage(browser, viewer.url);
    const { tokens, utterances } = busy.spoken;
    return {
      table: [['what', 'measured', 'bar'], ...page, ...recorded],
      notes: [
        `${DYADS} dyads of ${TOKENS_PER_SECOND} tokens/s each on a real nats-server, and a folder written as coordinator and analyzer write it (${BEFORE} episodes before, four scores a second): ${tokens} tokens and ${utterances} utterances in all. Chromium without a window; viewer, browser and writers on the same machine.`,
        `The page was open for ${OPEN_MS / 1000} s, from ${(SETTLED_MS + TRACE_MS) / 1000} s on beside ${SLOW} browsers that read nothing; heap and nodes after a collection of garbage. Tasks of at least 1 ms, from Chromium's trace of ${TRACE_MS / 1000} s.`,
        `Recording: a real analyzer and ${DYADS} dyads of 6 layers × 320, a turn of each at a time, from sending to the acknowledgement of all; ${STRETCHES} stretches of ${STRETCH_MS / 1000} s with the slow browsers and as many without, taking turns.`,
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

/** A page is left open. */
async function watchPage(browser: Browser, url: string): Promise<string[][]> {
  const { page, complaints } = await look(browser, `${url}/?run=${RUN}`);
  await page
    .locator('.tile')
    .nth(DYADS - 1)
    .waitFor();
  const opened = performance.now();
  await delay(SETTLED_MS);
  const [first, server] = [await memoryOf(page), await residentMib(url)];
  const main = await traceMainThread(browser, page, TRACE_MS);
  const slow = await connectSlowly(url, { run: RUN, count: SLOW });
  await delay(Math.max(0, OPEN_MS - (performance.now() - opened)));
  const [last, serverLast] = [await memoryOf(page), await residentMib(url)];
  const shed = await metricOf(url, 'entrain_viewer_shed_total');
  slow.close();
  await page.close();
  if (complaints.length > 0) throw new Error(`the page complains: ${complaints[0]}`);
  return [
    [
      `main thread while ${DYADS} dyads speak: 95 % of ${main.tasks} tasks`,
      `≤ ${main.p95Ms.toFixed(1)} ms`,
      '≤ 16 ms',
    ],
    [
      'its longest task; share of the time in which it works',
      `${main.longestMs.toFixed(0)} ms; ${percentOf(main.busy)}`,
      '',
    ],
    [
      `heap of the page at ${SETTLED_MS / 1000} s and at ${OPEN_MS / 1000} s`,
      `${first.heapMib.toFixed(1)} → ${last.heapMib.toFixed(1)} MiB, ${growthText(first.heapMib, last.heapMib)}`,
      '≤ +10 %',
    ],
    ['nodes of the page', `${first.nodes} → ${last.nodes}, ${growthText(first.nodes, last.nodes)}`, ''],
    [
      `resident set of the viewer, the second with ${SLOW} slow browsers`,
      `${server.toFixed(0)} → ${serverLast.toFixed(0)} MiB, ${growthText(server, serverLast)}`,
      '',
    ],
    [`previews shed for these, and counted`, String(shed), '> 0'],
  ];
}

const percentOf = (share: number): string => `${(100 * share).toFixed(0)} %`;

/** Times from sending to durable, with browsers that read nothing and without. */
async function recordBeside(url: string): Promise<string[][]> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-beside-'));
  const keys = createKeys();
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  const analyzer = await startAnalyzer(folder);
  const streamUrl = `${analyzer.url.replace('http', 'ws')}/stream`;
  const size = { dyads: DYADS, models: 2, layers: 6, dims: 320, turnsPerEpisode: 10, scenarios: 2 };
  const fleet = await openFleet({ streamUrl, privateKeyPem: keys.privateKeyPem, ...size });
  const times: Record<'alone' | 'beside', number[]> = { alone: [], beside: [] };
  try {
    await turnTimes(fleet);
    for (let at = 0; at < STRETCHES; at += 1) {
      times.alone.push(...(await turnTimes(fleet)));
      const slow = await connectSlowly(url, { run: RUN, count: SLOW });
      times.beside.push(...(await turnTimes(fleet)));
      slow.close();
    }
  } finally {
    await fleet.close();
    analyzer.child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
  const [alone, beside] = [times.alone, times.beside].map((all) => all.toSorted((a, b) => a - b)) as [
    number[],
    number[],
  ];
  const at = (sorted: readonly number[], share: number): number =>
    sorted[Math.ceil(share * sorted.length) - 1] ?? NaN;
  const row = (name: string, share: number): string[] => [
    `${name} of a turn of all dyads until it is durable, beside ${SLOW} slow browsers and without`,
    `${at(beside, share).toFixed(0)} and ${at(alone, share).toFixed(0)} ms, ${(at(beside, share) / at(alone, share)).toFixed(2)} ×`,
    '',
  ];
  return [row('median time', 0.5), row('99 % of the times', 0.99)];
}

async function turnTimes(fleet: Fleet): Promise<number[]> {
  const times: number[] = [];
  for (const until = performance.now() + STRETCH_MS; performance.now() < until; await delay(100)) {
    const began = performance.now();
    for (const dyad of fleet.dyads) dyad.turn();
    await fleet.drained();
    times.push(performance.now() - began);
  }
  return times;
}
