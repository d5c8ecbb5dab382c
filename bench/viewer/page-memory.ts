/** What a page and the viewer behind it hold. */
import type { Page } from 'playwright-core';

export interface PageMemory {
  heapMib: number;
  nodes: number;
}

const MIB = 2 ** 20;

/** After a collection of garbage. */
export async function memoryOf(page: Page): Promise<PageMemory> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  const { nodes } = await session.send('Memory.getDOMCounters');
  await session.detach();
  return { heapMib: usedSize / MIB, nodes };
}

export const residentMib = async (url: string): Promise<number> =>
  (await metricOf(url, 'process_resident_memory_bytes')) / MIB;

export async function metricOf(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
}

/** How much more it is at the end, as text. */
export const growthText = (from: number, to: number): string =>
  `${to >= from ? '+' : '−'}${Math.abs(100 * (to / from - 1)).toFixed(0)} %`;
