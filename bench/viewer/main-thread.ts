/** How long the main thread of a page is busy at a time, from Chromium's own trace. */
import type { Browser, Page } from 'playwright-core';
import { setTimeout as delay } from 'node:timers/promises';

interface MainThread {
  tasks: number;
  /** 95th percentile of the tasks that took at least a millisecond, in milliseconds. */
  p95Ms: number;
  longestMs: number;
  /** Share of the time in which it was busy. */
  busy: number;
}

interface TraceEvent {
  name: string;
  ph: string;
  pid: number;
  tid: number;
  dur?: number;
  args?: { name?: string };
}

/** Shorter tasks are timers and messages that draw nothing; with them the percentile would flatter. */
const LEAST_MS = 1;

export async function traceMainThread(browser: Browser, page: Page, ms: number): Promise<MainThread> {
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', '__metadata'] });
  const started = performance.now();
  await delay(ms);
  const elapsed = performance.now() - started;
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] };
  return summaryOf(trace.traceEvents, elapsed);
}

function summaryOf(events: readonly TraceEvent[], elapsed: number): MainThread {
  const keyOf = ({ pid, tid }: TraceEvent): string => `${pid} ${tid}`;
  const mains = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
      .map((event) => keyOf(event)),
  );
  const tasks = new Map<string, number[]>();
  for (const event of events) {
    const isTask = event.name.endsWith('RunTask') && event.ph === 'X';
    if (!isTask || !mains.has(keyOf(event))) continue;
    tasks.set(keyOf(event), [...(tasks.get(keyOf(event)) ?? []), (event.dur ?? 0) / 1000]);
  }
  // Other pages' threads idle: the one that works is the page that is looked at.
  const total = (all: readonly number[]): number => all.reduce((sum, ms) => sum + ms, 0);
  const own = [...tasks.values()].toSorted((a, b) => total(b) - total(a))[0] ?? [];
  if (own.length === 0) throw new Error('the trace holds no task of a main thread');
  const long = own.filter((ms) => ms >= LEAST_MS).toSorted((a, b) => a - b);
  return {
    tasks: long.length,
    p95Ms: long[Math.ceil(0.95 * long.length) - 1] ?? 0,
    longestMs: long.at(-1) ?? 0,
    busy: total(own) / elapsed,
  };
}
