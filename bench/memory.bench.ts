/**
 * The analyzer's memory for the states that it keeps: frames go to an analyzer process; resident memory as the kernel
 * reports it.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TEXT_FEATURE_DIMS } from '../src/protocol/stream/frames.ts';
import type { ScoreReport } from '../src/protocol/reports/score-report.ts';
import { createKeys } from '../src/transport/stream/auth/access-token.ts';
import { startAnalyzer, type Running } from './live/analyzer.ts';
import { openFleet } from './live/dyads.ts';

export const title = 'Memory of the analyzer for the states that it keeps';

const MIB = 2 ** 20;
const KEPT_BYTES = 450 * MIB;
const SIZE = { layers: 12, dims: 768, turnsPerEpisode: 20 };
const DYADS = 8;
const MODELS = 2;
/** Too few for a score, so that only kept states are measured, and no working memory of scores. */
const SCENARIOS = 4;
const BATCH_TURNS = 25;
const SETTLE_MS = 10_000;
const TURN_BYTES = 4 * (SIZE.layers * SIZE.dims + TEXT_FEATURE_DIMS + SIZE.dims);

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-memory-'));
  const keys = createKeys();
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  const analyzer = await startAnalyzer(folder);
  try {
    const before = await memoryOf(analyzer);
    const turns = Math.ceil(KEPT_BYTES / TURN_BYTES / DYADS) * DYADS;
    await streamTurns(analyzer, keys.privateKeyPem, turns);
    await scored(analyzer);
    await delay(SETTLE_MS);
    const after = await memoryOf(analyzer);
    const kept = turns * TURN_BYTES;
    const growth = after.resident - before.resident;
    return {
      table: [
        ['quantity', 'measured', 'bar'],
        ['numbers kept', `${mib(kept)} of ${turns} turns in ${2 * MODELS} groups`, ''],
        ['resident before', mib(before.resident), ''],
        ['growth when all is recorded', mib(growth), ''],
        ['growth for each byte kept', (growth / kept).toFixed(2), '≤ 1.3'],
        ['peak growth while it came in', mib(after.peak - before.resident), ''],
      ],
      notes: [
        `${DYADS} dyads of ${SIZE.layers} layers × ${SIZE.dims} dimensions in float32, with their text features; in fewer scenarios than a score needs. Resident memory ${SETTLE_MS / 1000} s after the last frame.`,
      ],
    };
  } finally {
    analyzer.child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

async function streamTurns({ url }: Running, privateKeyPem: string, turns: number): Promise<void> {
  const streamUrl = `${url.replace('http', 'ws')}/stream`;
  const of = { streamUrl, privateKeyPem, dyads: DYADS, models: MODELS, scenarios: SCENARIOS, ...SIZE };
  const fleet = await openFleet(of);
  try {
    for (let turn = 0; turn < turns / DYADS; turn += 1) {
      for (const dyad of fleet.dyads) dyad.turn();
      if (turn % BATCH_TURNS === 0) await fleet.drained();
    }
    await fleet.drained();
  } finally {
    await fleet.close();
  }
}

async function scored({ url }: Running): Promise<void> {
  for (;;) {
    const report = (await (await fetch(`${url}/api/scores`)).json()) as ScoreReport;
    if (!report.pending && report.groups.length === 2 * MODELS) return;
    await delay(250);
  }
}

/** Memory in bytes, as the kernel reports it. */
async function memoryOf({ child }: Running): Promise<{ resident: number; peak: number }> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  const read = (name: string): number =>
    1024 * Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(status)?.[1]);
  return { resident: read('VmRSS'), peak: read('VmHWM') };
}
