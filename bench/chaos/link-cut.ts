/** An agent in a network namespace of its own, whose link to the analyzer is cut again and again; only root may do that. */
import { execFileSync } from 'node:child_process';
import { compareLedgers, faultsOf } from './compare.ts';
import {
  inPlace,
  kill,
  pause,
  RUN,
  startAnalyzer,
  startSender,
  type Place,
  type SenderChild,
} from './programs.ts';
import type { Outcome, ScenarioOptions } from './scenarios.ts';

const NAME = 'link cut between network namespaces';
const CUT_MS = 30_000;
const NOTICE_MS = 10_000;
const CATCH_UP_MS = 30_000;

interface Link {
  namespace: string;
  near: string;
  host: string;
}

interface Cut {
  noticedMs: number;
  caughtUpMs: number;
}

/** `times` cuts of 30 s. */
export const cutLink = ({ times, random }: ScenarioOptions): Promise<Outcome> =>
  inPlace(async (place) => {
    const link = layLink();
    if (!link) return { name: NAME, figures: 'not run: only root may lay a link', failures: [] };
    try {
      return await cutOften(place, link, { times, random });
    } finally {
      for (const child of place.children) await kill(child);
      removeLink(link);
    }
  });

async function cutOften(place: Place, link: Link, { times, random }: ScenarioOptions): Promise<Outcome> {
  const analyzer = await startAnalyzer(place, link.host);
  const tokens = { 'agent-0': place.token('agent-0') };
  const url = `ws://${link.host}:${place.port}/stream`;
  const order = { url, run: RUN, tokens, folder: place.folder, valuesPerFrame: 8192, everyMs: 20 };
  const sender = await startSender(place, order, link.namespace);
  const cuts: Cut[] = [];
  for (let i = 0; i < times; i++) {
    await pause(1000 + random() * 2000);
    cuts.push(await cutOnce(sender, link));
  }
  const report = await sender.stop();
  await kill(analyzer, 'SIGTERM');
  return judge(cuts, await compareLedgers(place), report.drained);
}

async function cutOnce(sender: SenderChild, { near }: Link): Promise<Cut> {
  const startMs = performance.now();
  ip('link', 'set', near, 'down');
  const noticedMs = await timeUntil(CUT_MS, async () => !(await sender.state()).connected);
  await pause(Math.max(0, CUT_MS - (performance.now() - startMs)));
  ip('link', 'set', near, 'up');
  const { lastSeq } = await sender.state();
  const caughtUpMs = await timeUntil(60_000, async () => (await sender.state()).ackedSeq >= lastSeq);
  return { noticedMs, caughtUpMs };
}

/** Milliseconds until it holds, or `limitMs`. */
async function timeUntil(limitMs: number, holds: () => Promise<boolean>): Promise<number> {
  const startMs = performance.now();
  while (performance.now() - startMs < limitMs && !(await holds())) await pause(50);
  return performance.now() - startMs;
}

function judge(cuts: Cut[], found: Parameters<typeof faultsOf>[1], drained: boolean): Outcome {
  const noticedMs = Math.max(...cuts.map((cut) => cut.noticedMs));
  const caughtUpMs = Math.max(...cuts.map((cut) => cut.caughtUpMs));
  const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  const failures = faultsOf(NAME, found);
  if (noticedMs > NOTICE_MS) failures.push(`${NAME}: noticed only after ${seconds(noticedMs)}`);
  if (caughtUpMs > CATCH_UP_MS) failures.push(`${NAME}: caught up only after ${seconds(caughtUpMs)}`);
  if (!drained) failures.push(`${NAME}: not drained`);
  const worst = `noticed after at most ${seconds(noticedMs)}, caught up after at most ${seconds(caughtUpMs)}`;
  const { accepted, lost, doubled } = found;
  const figures = `${cuts.length} × ${CUT_MS / 1000} s, ${worst}; ${accepted} frames accepted`;
  return { name: NAME, figures, lost, doubled, failures };
}

/** Undefined where it is not allowed. */
function layLink(): Link | undefined {
  const tag = `ent${process.pid % 100_000}`;
  const near = `${tag}a`;
  const far = `${tag}b`;
  const net = `10.231.${process.pid % 250}`;
  const link = { namespace: tag, near, host: `${net}.1` };
  try {
    ip('netns', 'add', tag);
    ip('link', 'add', near, 'type', 'veth', 'peer', 'name', far, 'netns', tag);
    ip('addr', 'add', `${link.host}/24`, 'dev', near);
    ip('link', 'set', near, 'up');
    ip('-n', tag, 'addr', 'add', `${net}.2/24`, 'dev', far);
    ip('-n', tag, 'link', 'set', far, 'up');
    return link;
  } catch {
    removeLink(link);
    return undefined;
  }
}

function removeLink({ namespace, near }: Link): void {
  for (const job of [
    ['link', 'del', near],
    ['netns', 'del', namespace],
  ])
    try {
      ip(...job);
    } catch {
      // it never came to be
    }
}

function ip(...job: string[]): void {
  execFileSync('ip', job, { stdio: 'ignore' });
}
