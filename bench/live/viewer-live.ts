/** A page that stays open while 32 dyads speak at once: how long its main thread is busy, and what memory it takes. */
import type { Browser, Page } from 'playwright-core';
import { subjects } from '../../src/protocol/subjects.ts';
import { startNats } from '../../test/fixtures/programs/nats-fixture.ts';
import { look } from '../../test/fixtures/viewer/browser.ts';
import {
  appendLines,
  episodeName,
  influenceLine,
  scoreLine,
  utteranceLine,
  writeRunFolder,
} from '../../test/fixtures/viewer/run-folder.ts';
import { startViewer, stopViewer } from '../../test/fixtures/viewer/viewer-program.ts';

const RUN = 'live';
const DYADS = 32;
/** Of each dyad, a second. */
const TOKENS = 10;
/** Tokens of an utterance, and turns of an episode. */
const WORDS = 20;
const TURNS = 12;
const SCORE_EVERY_MS = 2000;
const [FROM_MINUTE, TO_MINUTE] = [1, 4];

export interface LiveFigures {
  dyads: number;
  tokensPerSecond: number;
  waitMs: number;
  fromMinute: number;
  toMinute: number;
  growth: string;
}

export async function measureLive(browser: Browser, runs: string): Promise<LiveFigures> {
  const nats = await startNats(['viewer', 'agent-ada', 'agent-ben'], { runs: [RUN] });
  const links = { ada: await nats.connect('agent-ada'), ben: await nats.connect('agent-ben') };
  const folder = await writeRunFolder(runs, {
    run: RUN,
    episodes: DYADS,
    turns: 0,
    isFinished: false,
    openFrom: 0,
  });
  const viewer = await startViewer(runs, ['--live', '--port', '0'], {
    NATS_URL: nats.url,
    NATS_USER: 'viewer',
    NATS_PASSWORD: 'viewer-secret',
  });
  const publish = (agent: 'ada' | 'ben', episode: string, token: object): void =>
    links[agent].connection.publish(subjects.token(RUN, episode, agent), JSON.stringify(token));
  const talk = speak(folder, publish);
  try {
    const { page } = await look(browser, `${viewer.url}/?run=${RUN}`);
    await page.locator('.tile').first().waitFor();
    const waits = await waitsOf(page, 30_000);
    await page.waitForTimeout(FROM_MINUTE * 60_000 - 30_000);
    const before = await heapBytes(page);
    await page.waitForTimeout((TO_MINUTE - FROM_MINUTE) * 60_000);
    const after = await heapBytes(page);
    await page.close();
    const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
    return {
      dyads: DYADS,
      tokensPerSecond: DYADS * TOKENS,
      waitMs: waits[Math.floor(0.95 * waits.length)] ?? NaN,
      fromMinute: FROM_MINUTE,
      toMinute: TO_MINUTE,
      growth: `${mib(before)} → ${mib(after)} MiB (${((100 * after) / before - 100).toFixed(0)} %)`,
    };
  } finally {
    talk.stop();
    await stopViewer(viewer);
    await nats.close();
  }
}

/** Tokens of every dyad, its utterances in the run folder, new episodes after the last turn, and scores. */
function speak(
  folder: string,
  publish: (agent: 'ada' | 'ben', episode: string, token: object) => void,
): { stop(): void } {
  let [tick, next] = [0, DYADS];
  const open = Array.from({ length: DYADS }, (_, at) => ({ episode: episodeName(at), turn: 0 }));
  const step = (at: number): void => {
    const own = open[at] as (typeof open)[number];
    const agent = own.turn % 2 === 0 ? 'ada' : 'ben';
    const word = Math.floor(tick / DYADS) % WORDS;
    const place = { episode: own.episode, turn: own.turn, agent };
    publish(agent, own.episode, {
      ...place,
      step: word,
      text: ` word${word}`,
      byte0: 6 * word,
      byte1: 6 * word + 6,
    });
    if (word < WORDS - 1) return;
    void appendLines(folder, 'transcript.jsonl', [utteranceLine(own)]);
    own.turn += 1;
    if (own.turn < TURNS) return;
    const started = { scenario: 'shop', condition: 'live', order: ['ada', 'ben'], seed: 1, atMs: 1000 };
    const ended = {
      type: 'episode-finished',
      episode: own.episode,
      turns: TURNS,
      finish: 'turns',
      atMs: 2000,
    };
    own.episode = episodeName(next);
    own.turn = 0;
    next += 1;
    void appendLines(folder, 'events.jsonl', [
      ended,
      { type: 'episode-started', episode: own.episode, ...started },
    ]);
  };
  const words = setInterval(() => step(tick++ % DYADS), 1000 / (DYADS * TOKENS));
  let samples = 120;
  const scores = setInterval(() => {
    samples += 8;
    void appendLines(folder, 'scores.jsonl', [
      scoreLine({ condition: 'live', samples, provisional: true }),
      influenceLine({ condition: 'live', value: 0.4 }),
    ]);
  }, SCORE_EVERY_MS);
  return {
    stop: () => {
      clearInterval(words);
      clearInterval(scores);
    },
  };
}

/** How long a task waits for the main thread, every 5 ms, in order of size. */
const waitsOf = (page: Page, ms: number): Promise<number[]> =>
  page.evaluate(
    `new Promise((resolve) => {
      const waits = [];
      const { port1, port2 } = new MessageChannel();
      let sent = 0;
      port1.onmessage = () => {
        waits.push(performance.now() - sent);
        if (performance.now() > end) resolve(waits.sort((a, b) => a - b));
        else setTimeout(send, 5);
      };
      const send = () => { sent = performance.now(); port2.postMessage(0); };
      const end = performance.now() + ${ms};
      send();
    })`,
  );

/** What the page's scripts hold after a collection. */
async function heapBytes(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.enable');
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize;
}
