/** Recording and spool on file systems of 24 MB that run full; they are mounted, which only root may do. */
import { execFileSync } from 'node:child_process';
import { mkdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compareLedgers, faultsOf } from './compare.ts';
import { inPlace, kill, pause, RUN, startAnalyzer, startSender, type Place } from './programs.ts';
import type { Outcome } from './scenarios.ts';
import type { SenderOrder } from './sender.ts';

const SIZE = '24m';
const BALLAST_BYTES = 16 * 2 ** 20;
const READY_MS = 2000;
const GIVE_UP_MS = 20_000;
const FULL_BYTES = 64 * 1024;
const FULL_MS = 90_000;
const FROZEN_FULL_MS = 2000;

/** The recording's disk is full until a ballast is thrown off: that is shown, and nothing is lost. */
export const fullRecording = (): Promise<Outcome> =>
  inPlace((place) =>
    onSmallDisk(
      place,
      { name: 'recording on a full disk', folder: join(place.folder, 'runs') },
      async (name) => {
        const ballast = join(place.folder, 'runs', 'ballast');
        await writeFile(ballast, Buffer.alloc(BALLAST_BYTES));
        const analyzer = await startAnalyzer(place);
        const sender = await startSender(place, orderOf(place));
        const redMs = await untilRed(place, join(place.folder, 'runs'));
        await rm(ballast);
        const greenMs = await untilStatus(place, 200);
        const report = await sender.stop();
        await kill(analyzer, 'SIGTERM');
        const found = await compareLedgers(place);
        const failures = faultsOf(name, found);
        if (redMs > READY_MS)
          failures.push(`${name}: shown only ${redMs.toFixed(0)} ms after the disk was full`);
        if (greenMs > READY_MS) failures.push(`${name}: ready again only after ${greenMs.toFixed(0)} ms`);
        if (!report.drained) failures.push(`${name}: not drained`);
        const { accepted, lost, doubled } = found;
        const figures = `${SIZE}; not ready ${seconds(redMs)} after it was full, ready ${seconds(greenMs)} after room came; ${accepted} frames accepted`;
        return { name, figures, lost, doubled, failures };
      },
    ),
  );

/** The analyzer is frozen until the spool's disk is full and frames wait in memory. */
export const fullSpool = (): Promise<Outcome> =>
  inPlace((place) =>
    onSmallDisk(
      place,
      { name: 'spool on a full disk', folder: join(place.folder, 'spool') },
      async (name) => {
        const analyzer = await startAnalyzer(place);
        const sender = await startSender(place, orderOf(place));
        await pause(500);
        analyzer.kill('SIGSTOP');
        const wasFull = await untilFull(join(place.folder, 'spool'));
        await pause(FROZEN_FULL_MS);
        analyzer.kill('SIGCONT');
        const report = await sender.stop();
        await kill(analyzer, 'SIGTERM');
        const found = await compareLedgers(place);
        const failures = faultsOf(name, found);
        if (!report.drained) failures.push(`${name}: not drained`);
        if (!wasFull) failures.push(`${name}: the disk never was full`);
        const { accepted, lost, doubled } = found;
        return { name, figures: `${SIZE}; ${accepted} frames of 16 kB accepted`, lost, doubled, failures };
      },
    ),
  );

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** 4 MB/s. */
function orderOf(place: Place): SenderOrder {
  const tokens = { 'agent-0': place.token('agent-0') };
  return { url: place.url, run: RUN, tokens, folder: place.folder, valuesPerFrame: 8192, everyMs: 4 };
}

async function onSmallDisk(
  place: Place,
  { name, folder }: { name: string; folder: string },
  work: (name: string) => Promise<Outcome>,
): Promise<Outcome> {
  if (!(await mount(folder))) return { name, figures: 'not run: only root may mount', failures: [] };
  try {
    return await work(name);
  } finally {
    for (const child of place.children) await kill(child);
    execFileSync('umount', [folder]);
  }
}

async function mount(folder: string): Promise<boolean> {
  await mkdir(folder, { recursive: true });
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function untilFull(folder: string): Promise<boolean> {
  const endMs = performance.now() + FULL_MS;
  while (performance.now() < endMs) {
    if (await isFull(folder)) return true;
    await pause(100);
  }
  return false;
}

async function isFull(folder: string): Promise<boolean> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize < FULL_BYTES;
}

/** How long after the disk was full `/readyz` said so, milliseconds; 0 where it was said before the last bytes were taken. */
async function untilRed(place: Place, folder: string): Promise<number> {
  const startMs = performance.now();
  let fullMs: number | undefined;
  while (performance.now() - startMs < GIVE_UP_MS) {
    if (fullMs === undefined && (await isFull(folder))) fullMs = performance.now();
    if ((await statusOf(place)) === 503) return fullMs === undefined ? 0 : performance.now() - fullMs;
    await pause(20);
  }
  return GIVE_UP_MS;
}

/** How long until `/readyz` answers so, milliseconds. */
async function untilStatus(place: Place, wanted: number): Promise<number> {
  const startMs = performance.now();
  while (performance.now() - startMs < GIVE_UP_MS) {
    if ((await statusOf(place)) === wanted) break;
    await pause(50);
  }
  return performance.now() - startMs;
}

async function statusOf({ port }: Place): Promise<number | undefined> {
  return fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ status }) => status,
    () => undefined,
  );
}
