/**
 * The whole live path: frames of simulated dyads go to an analyzer process; measures the time until each turn is
 * scored.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { ScoreReport } from '../src/protocol/reports/score-report.ts';
import { createKeys } from '../src/transport/stream/auth/access-token.ts';
import { startAnalyzer, type Running } from './live/analyzer.ts';
import { openFleet, RUN, type Fleet } from './live/dyads.ts';
import { between, boundOf, readBuckets, total, type Buckets } from './live/histogram.ts';

export const title = 'Live: from a turn’s arrival to the score that holds it';

const DYADS = 32;
const MODELS = 2;
const TURN_MS = 3000;
const LIVE_MS = 90_000;
const SIZE = { layers: 12, dims: 768, turnsPerEpisode: 10 };
const EPISODES_BEFORE = 2;
const LATENCY = 'entrain_score_latency_seconds';

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-live-'));
  const keys = createKeys();
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  const analyzer = await startAnalyzer(folder);
  try {
    const streamUrl = `${analyzer.url.replace('http', 'ws')}/stream`;
    const fleet = await openFleet({
      streamUrl,
      privateKeyPem: keys.privateKeyPem,
      dyads: DYADS,
      models: MODELS,
      ...SIZE,
    });
    try {
      return await measure(fleet, analyzer, folder);
    } finally {
      await fleet.close();
    }
  } finally {
    analyzer.child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  }
}

async function measure(fleet: Fleet, { url }: Running, folder: string) {
  for (let turn = 0; turn < EPISODES_BEFORE * SIZE.turnsPerEpisode; turn += 1)
    for (const dyad of fleet.dyads) dyad.turn();
  await fleet.drained();
  await firstScores(url);
  const before = await snapshot(url);
  const started = performance.now();
  await talk(fleet);
  const seconds = (performance.now() - started) / 1000;
  const after = await snapshot(url);
  const fullAges = await agesOfFull(join(folder, 'runs', RUN, 'scores.jsonl'), seconds);
  const latency = between(before.latency, after.latency);
  const range = after.groups.map(({ samples }) => samples);
  const table = [
    ['quantity', 'measured', 'bar'],
    ['turns that came', `${total(latency)} in ${seconds.toFixed(0)} s`, ''],
    [
      'rows per group at the end',
      `${Math.min(...range)}–${Math.max(...range)} in ${range.length} groups`,
      '200',
    ],
    ['arrival to score, 50 % of turns', `≤ ${ms(boundOf(latency, 0.5))}`, ''],
    ['arrival to score, 99 % of turns', `≤ ${ms(boundOf(latency, 0.99))}`, ''],
    ['oldest score of a group', `${fullAges.toFixed(0)} s`, '≤ 60 s'],
    [
      'processor time of the analyzer',
      `${((after.cpuSeconds - before.cpuSeconds) / seconds).toFixed(2)} cores`,
      '',
    ],
  ];
  const notes = [
    `${DYADS} dyads of ${SIZE.layers} layers × ${SIZE.dims} dimensions, each taking a turn every ${TURN_MS / 1000} s; latencies are bounds of the histogram ${LATENCY}.`,
  ];
  return { table, notes };
}

const ms = (seconds: number): string => `${(seconds * 1000).toFixed(0)} ms`;

/** Every dyad has a turn every three seconds, evenly staggered. */
async function talk({ dyads }: Fleet): Promise<void> {
  const started = performance.now();
  for (let turn = 0; turn * TURN_MS < LIVE_MS; turn += 1)
    for (const [index, dyad] of dyads.entries()) {
      const atMs = started + (turn + index / dyads.length) * TURN_MS;
      await delay(Math.max(0, atMs - performance.now()));
      dyad.turn();
    }
  await delay(2000);
}

interface Snapshot {
  latency: Buckets;
  groups: ScoreReport['groups'];
  cpuSeconds: number;
}

async function snapshot(url: string): Promise<Snapshot> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const { groups } = await report(url);
  return {
    latency: readBuckets(page, LATENCY),
    groups,
    cpuSeconds: Number(/^process_cpu_seconds_total (\S+)$/m.exec(page)?.[1]),
  };
}

async function report(url: string): Promise<ScoreReport> {
  return (await (await fetch(`${url}/api/scores`)).json()) as ScoreReport;
}

async function firstScores(url: string): Promise<void> {
  for (;;) {
    const { groups, pending } = await report(url);
    if (!pending && groups.length === 2 * MODELS && groups.every(({ strict }) => strict !== null)) return;
    await delay(250);
  }
}

/** The longest time between two full scores of a group, seconds. */
async function agesOfFull(file: string, seconds: number): Promise<number> {
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n');
  const times = new Map<string, number[]>();
  for (const line of lines) {
    const { type, group, atMs } = JSON.parse(line) as { type: string; group: string; atMs: number };
    if (type === 'score') times.set(group, [...(times.get(group) ?? []), atMs]);
  }
  const endMs = Date.now() - 2000;
  const gaps = [...times.values()].flatMap((of) => {
    const live = [...of.filter((atMs) => atMs > endMs - seconds * 1000), endMs];
    const last = of.findLast((atMs) => atMs <= endMs - seconds * 1000) ?? endMs - seconds * 1000;
    return [
      live[0]! - Math.max(last, endMs - seconds * 1000),
      ...live.slice(1).map((atMs, i) => atMs - live[i]!),
    ];
  });
  return Math.max(...gaps) / 1000;
}
