/**
 * A thousand short episodes on one analyzer process: its memory, its files, and the time until the last scores.
 */
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ScoreReport } from '../src/protocol/reports/score-report.ts';
import { createKeys } from '../src/transport/stream/auth/access-token.ts';
import { startAnalyzer, type Running } from './live/analyzer.ts';
import { openFleet, RUN, type Fleet } from './live/dyads.ts';

export const title = 'A thousand short episodes on one resident analyzer';

const MIB = 2 ** 20;
const LOOKS = [250, 500, 1000];
const DYADS = 10;
const SIZE = { layers: 4, dims: 64, turnsPerEpisode: 6 };

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-episodes-'));
  const keys = createKeys();
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  const analyzer = await startAnalyzer(folder);
  const table = [
    ['episodes', 'resident', 'recorded', 'scores.jsonl', 'for each episode', 'files', 'last scores after'],
  ];
  try {
    const streamUrl = `${analyzer.url.replace('http', 'ws')}/stream`;
    const of = { streamUrl, privateKeyPem: keys.privateKeyPem, dyads: DYADS, models: 1, ...SIZE };
    const fleet = await openFleet(of);
    let played = 0;
    for (const look of LOOKS) {
      for (; played < look / DYADS; played += 1) playOne(fleet);
      await fleet.drained();
      const seconds = await scored(analyzer);
      table.push(await rowOf(look, { analyzer, seconds, run: join(folder, 'runs', RUN) }));
    }
    await fleet.close();
    const shape = `${SIZE.turnsPerEpisode} turns of ${SIZE.layers} layers × ${SIZE.dims} dimensions`;
    return {
      table,
      notes: [`${DYADS} dyads, ${shape}; the clock of the last column runs from the last durable frame.`],
    };
  } finally {
    analyzer.child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

/** Plays one episode of every dyad. */
function playOne({ dyads }: Fleet): void {
  for (let turn = 0; turn < SIZE.turnsPerEpisode; turn += 1) for (const dyad of dyads) dyad.turn();
}

async function rowOf(
  episodes: number,
  { analyzer, seconds, run }: { analyzer: Running; seconds: number; run: string },
): Promise<string[]> {
  const status = await readFile(`/proc/${analyzer.child.pid}/status`, 'utf8');
  const resident = 1024 * Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  const files = await readdir(run, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    files
      .filter((file) => file.isFile() && file.name.endsWith('.seg'))
      .map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  const recorded = sizes.reduce((sum, size) => sum + size, 0);
  const scores = (await stat(join(run, 'scores.jsonl'))).size;
  return [
    String(episodes),
    `${(resident / MIB).toFixed(0)} MiB`,
    `${(recorded / MIB).toFixed(0)} MiB`,
    `${(scores / 1e6).toFixed(2)} MB`,
    `${(scores / episodes).toFixed(0)} bytes`,
    String(files.filter((file) => file.isFile()).length),
    `${seconds.toFixed(0)} s`,
  ];
}

/** Waits until every group's newest rows are scored. @returns seconds */
async function scored({ url }: Running): Promise<number> {
  const started = performance.now();
  for (;;) {
    const report = (await (await fetch(`${url}/api/scores`)).json()) as ScoreReport;
    if (!report.pending && report.groups.length === 2) return (performance.now() - started) / 1000;
    await new Promise((done) => setTimeout(done, 250));
  }
}
