/** What can happen to a stream, one function each; each compares ledgers and recording and says what it found. */
import { readFile } from 'node:fs/promises';
import { verifyRun } from '../../src/analyzer/recorded/verify-run.ts';
import { compareLedgers, faultsOf, type Comparison } from './compare.ts';
import { inPlace, kill, pause, RUN, startAnalyzer, startSender, type Place } from './programs.ts';
import { startProxy } from './proxy.ts';
import type { SenderOrder } from './sender.ts';

export interface Outcome {
  name: string;
  figures: string;
  /** Frames, messages or turns; undefined where there are none to lose or double. */
  lost?: number;
  doubled?: number;
  failures: string[];
}

export interface ScenarioOptions {
  /** How often: kills, connections or cuts. */
  times: number;
  random(): number;
}

const STREAMS = 8;
/** Of the kills of agents. */
const ALONE_EVERY = 5;

function order(place: Place, streams: string[], url = place.url): SenderOrder {
  const tokens = Object.fromEntries(streams.map((stream) => [stream, place.token(stream)]));
  return { url, run: RUN, tokens, folder: place.folder, valuesPerFrame: 512, everyMs: 4 };
}

const streamNames = (count: number): string[] => Array.from({ length: count }, (_, i) => `agent-${i}`);

function outcome(name: string, found: Comparison, extra: { failures: string[]; figures: string }): Outcome {
  const { accepted, lost, doubled, changed } = found;
  const figures = `${extra.figures}; ${accepted} frames accepted, ${changed} changed`;
  return { name, figures, lost, doubled, failures: extra.failures };
}

/** Every frame whose append returned is in the recording, although the analyzer was killed `times` times. */
export const killAnalyzers = ({ times, random }: ScenarioOptions): Promise<Outcome> =>
  inPlace(async (place) => {
    const name = 'analyzer killed';
    let analyzer = await startAnalyzer(place);
    const sender = await startSender(place, order(place, streamNames(STREAMS)));
    for (let i = 0; i < times; i++) {
      await pause(50 + random() * 400);
      await kill(analyzer);
      analyzer = await startAnalyzer(place);
    }
    const report = await sender.stop();
    await kill(analyzer, 'SIGTERM');
    const found = await compareLedgers(place);
    const { faults } = await verifyRun(place.runFolder);
    const failures = [...faultsOf(name, found), ...faults];
    if (!report.drained) failures.push(`${name}: not drained`);
    return outcome(name, found, { failures, figures: `${times} kills under ${STREAMS} senders` });
  });

/**
 * Every frame that an agent accepted is in the recording, although agents were killed `times` times, now and then while the analyzer
 * was away, so that its last frames were in the spool alone.
 */
export const killAgents = ({ times, random }: ScenarioOptions): Promise<Outcome> =>
  inPlace(async (place) => {
    const name = 'agents killed';
    let analyzer = await startAnalyzer(place);
    const names = streamNames(4);
    const senders = new Map(
      await Promise.all(
        names.map(async (stream) => [stream, await startSender(place, order(place, [stream]))] as const),
      ),
    );
    for (let i = 0; i < times; i++) {
      await pause(30 + random() * 200);
      const alone = i % ALONE_EVERY === 0;
      if (alone) await kill(analyzer);
      if (alone) await pause(100);
      const stream = names[i % names.length] as string;
      const victim = senders.get(stream);
      if (victim) await kill(victim.child);
      if (alone) analyzer = await startAnalyzer(place);
      senders.set(stream, await startSender(place, order(place, [stream])));
    }
    const reports = await Promise.all([...senders.values()].map((sender) => sender.stop()));
    await kill(analyzer, 'SIGTERM');
    const found = await compareLedgers(place);
    const failures = faultsOf(name, found, times);
    if (!reports.every(({ drained }) => drained)) failures.push(`${name}: not drained`);
    return outcome(name, found, { failures, figures: `${times} kills of ${names.length} agents` });
  });

/** `times` connections over a line that does what it likes. */
export const badLine = ({ times, random }: ScenarioOptions): Promise<Outcome> =>
  inPlace(async (place) => {
    const name = 'bad line';
    const analyzer = await startAnalyzer(place);
    const proxy = await startProxy({ port: place.port, random, meanBytes: 12_000 });
    const url = `ws://127.0.0.1:${proxy.port}/stream`;
    const sender = await startSender(place, { ...order(place, streamNames(24), url), everyMs: 10 });
    while (proxy.connections() < times) await pause(50);
    proxy.behave();
    const report = await sender.stop();
    await proxy.close();
    await kill(analyzer, 'SIGTERM');
    const found = await compareLedgers(place);
    const failures = faultsOf(name, found);
    if (!report.drained) failures.push(`${name}: not drained`);
    return outcome(name, found, { failures, figures: `${proxy.connections()} connections` });
  });

/** The way up swallows everything for 15 s, `times` times: the sender must notice within 10 s and catch up. */
export const blackHole = ({ times, random }: ScenarioOptions): Promise<Outcome> =>
  inPlace(async (place) => {
    const name = 'black hole';
    const analyzer = await startAnalyzer(place);
    const proxy = await startProxy({ port: place.port, random, meanBytes: Infinity });
    proxy.behave();
    const sender = await startSender(place, order(place, ['agent-0'], `ws://127.0.0.1:${proxy.port}/stream`));
    const noticedMs: number[] = [];
    for (let i = 0; i < times; i++) {
      await pause(1000 + random() * 1000);
      const before = proxy.connections();
      const startMs = performance.now();
      proxy.swallow('upward');
      while (proxy.connections() === before && performance.now() - startMs < 20_000) await pause(20);
      noticedMs.push(performance.now() - startMs);
      await pause(Math.max(0, 15_000 - (performance.now() - startMs)));
      proxy.swallow('nothing');
    }
    const startMs = performance.now();
    const report = await sender.stop();
    const caughtUpMs = performance.now() - startMs;
    await proxy.close();
    await kill(analyzer, 'SIGTERM');
    const found = await compareLedgers(place);
    const failures = faultsOf(name, found);
    const slowestMs = Math.max(...noticedMs);
    if (slowestMs > 10_000) failures.push(`${name}: noticed only after ${slowestMs.toFixed(0)} ms`);
    if (!report.drained || caughtUpMs > 30_000)
      failures.push(`${name}: caught up in ${caughtUpMs.toFixed(0)} ms`);
    const figures = `${times} × 15 s, noticed after at most ${(slowestMs / 1000).toFixed(1)} s, caught up in ${(caughtUpMs / 1000).toFixed(1)} s`;
    return outcome(name, found, { failures, figures });
  });

/** The analyzer is frozen for `times` seconds: the agent's memory stays flat and nothing is lost. */
export const frozenAnalyzer = ({ times }: ScenarioOptions): Promise<Outcome> =>
  inPlace(async (place) => {
    const name = 'analyzer frozen';
    const analyzer = await startAnalyzer(place);
    const sender = await startSender(place, {
      ...order(place, ['agent-0', 'agent-1']),
      valuesPerFrame: 8192,
    });
    await pause(3000);
    const before = await rssOf(sender.child.pid as number);
    analyzer.kill('SIGSTOP');
    await pause(times * 1000);
    const after = await rssOf(sender.child.pid as number);
    analyzer.kill('SIGCONT');
    const report = await sender.stop();
    await kill(analyzer, 'SIGTERM');
    const found = await compareLedgers(place);
    const failures = faultsOf(name, found);
    const grownMb = (after - before) / 2 ** 20;
    if (grownMb > 64) failures.push(`${name}: the agent grew by ${grownMb.toFixed(0)} MB`);
    if (!report.drained) failures.push(`${name}: not drained`);
    return outcome(name, found, { failures, figures: `${times} s, agent memory +${grownMb.toFixed(1)} MB` });
  });

async function rssOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024;
}
