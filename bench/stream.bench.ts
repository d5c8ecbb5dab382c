/**
 * The activation stream: durable ingest beside a minimal loop, decoding beside its parts, and the cost for an agent.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { Unpackr } from 'msgpackr';
import { decodeMessage, encodeMessage } from '../src/protocol/stream/codec.ts';
import type { StepsFrame } from '../src/protocol/stream/frames.ts';
import { packTensor } from '../src/protocol/stream/tensor.ts';
import type { FloodOrder, FloodReport } from './stream/flood-worker.ts';
import { startBare, startWhole, type BenchServer } from './stream/servers.ts';
import type { SteadyOrder, SteadyReport } from './stream/steady-sender.ts';
import { STREAM_LIMITS } from '../src/transport/stream/receiver/limits.ts';

export const title = 'Activation stream';

type Shape = FloodOrder['shape'];

/** All layers of a 7 B model for one token: 262 kB. */
const LARGE: Shape = [1, 32, 4096];
/** A small model's token: 18 kB. */
const SMALL: Shape = [1, 12, 768];
const ROUNDS = 5;
const STEADY_ROUNDS = 2;
const TOKENS_PER_SECOND = 50;

export async function run(): Promise<{ table: string[][]; notes: string[] }> {
  const rows = [
    await ingest('durable ingest, 262 kB frames', { shape: LARGE, frames: 1000, masked: true }),
    await ingest('durable ingest, 18 kB frames', { shape: SMALL, frames: 20_000, masked: true }),
    await ingest('durable ingest, 18 kB frames, not masked', { shape: SMALL, frames: 20_000, masked: false }),
    await latency(),
    decoding('decode a 262 kB frame', LARGE),
    decoding('decode an 18 kB frame', SMALL),
    await agentCost('an agent streaming 262 kB frames', LARGE, '≤ 10 %'),
    await agentCost('an agent streaming 18 kB frames', SMALL, ''),
  ];
  return {
    table: [['what', 'entrain', 'bare', 'ratio', 'bar'], ...rows],
    notes: [
      'Ingest: WebSocket, scan, check, CRC-32, write, fdatasync, acknowledgement, beside a loop of ws, write and fdatasync of the same bytes with the same group commit; median of rounds that take turns. ws masks what a client sends and takes the mask off again, in JavaScript; an agent masks with zeros, which neither end has to work at, so the last of the three is what an agent meets.',
      'The agents: 50 tokens/s of 32 layers × 4,096 dims and of 12 × 768 in float16, after the 2,000 frames of their first 40 seconds, in which the engine still compiles; CPU time over the process, less what an idle one takes, and per frame in brackets. Whole: rounding to float16, encoding, CRC-32, spool, WebSocket, acknowledgements. Bare: bytes made beforehand, one write to a file that is never synced, and ws with a mask of zeros; it keeps and promises nothing.',
    ],
  };
}

async function ingest(
  name: string,
  load: Pick<FloodOrder, 'shape' | 'frames' | 'masked'>,
): Promise<string[]> {
  const whole: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    bare.push(rate(await floodInto(startBare, { ...load, everyMs: 0 })));
    whole.push(rate(await floodInto(startWhole, { ...load, everyMs: 0 })));
  }
  const ratio = median(whole.map((value, i) => value / (bare[i] as number)));
  return [
    name,
    `${median(whole).toFixed(0)} MB/s`,
    `${median(bare).toFixed(0)} MB/s`,
    ratio.toFixed(2),
    '≥ 0.80',
  ];
}

async function latency(): Promise<string[]> {
  const paced = { shape: LARGE, frames: 300, everyMs: 20, masked: true };
  const bare = await floodInto(startBare, paced);
  const whole = await floodInto(startWhole, paced);
  const text = ({ p50Ms, p99Ms }: FloodReport): string => `${p50Ms.toFixed(1)} / ${p99Ms.toFixed(1)} ms`;
  const ratio = (whole.p50Ms / bare.p50Ms).toFixed(2);
  return ['acknowledgement at 13 MB/s, p50 / p99', text(whole), text(bare), ratio, ''];
}

const rate = ({ bytes, seconds }: FloodReport): number => bytes / 1e6 / seconds;

async function floodInto(
  start: (folder: string) => Promise<BenchServer>,
  load: Pick<FloodOrder, 'shape' | 'frames' | 'everyMs' | 'masked'>,
): Promise<FloodReport> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-'));
  const server = await start(folder);
  const place = { url: server.url, token: 'x', run: 'bench', stream: 'a' };
  const workerData: FloodOrder = { ...place, ...load, windowBytes: STREAM_LIMITS.creditBytes };
  const worker = new Worker(new URL('./stream/flood-worker.js', import.meta.url), { workerData });
  try {
    const [report] = (await once(worker, 'message')) as [FloodReport];
    return report;
  } finally {
    await worker.terminate();
    await server.close();
    await rm(folder, { recursive: true });
  }
}

function decoding(name: string, shape: Shape): string[] {
  const bytes = encodeMessage(stepsFrame(shape));
  const unpackr = new Unpackr({ useRecords: false });
  const decode = (): unknown => decodeMessage(bytes);
  const parts = (): unknown => crc32((unpackr.unpack(bytes) as StepsFrame).data);
  const ratios: number[] = [];
  const times: [number, number] = [Infinity, Infinity];
  for (let round = 0; round < 15; round++) {
    const bareUs = timeUs(parts);
    const wholeUs = timeUs(decode);
    times[0] = Math.min(times[0], wholeUs);
    times[1] = Math.min(times[1], bareUs);
    ratios.push(wholeUs / bareUs);
  }
  const [wholeUs, bareUs] = times;
  return [name, `${wholeUs.toFixed(1)} µs`, `${bareUs.toFixed(1)} µs`, median(ratios).toFixed(2), '≤ 2.00'];
}

function timeUs(job: () => unknown): number {
  const startMs = performance.now();
  let times = 0;
  for (; performance.now() - startMs < 40; times++) job();
  return ((performance.now() - startMs) * 1000) / times;
}

function stepsFrame(shape: Shape): StepsFrame {
  const [steps, layers, dims] = shape;
  const values = Float32Array.from({ length: steps * layers * dims }, () => Math.random() * 4 - 2);
  const numbers = Array.from({ length: layers }, (_, i) => i + 1);
  const about = { seq: 1, episode: 'e1', turn: 0, step0: 0, role: 'speak' as const, tNs: 1 };
  return { type: 'steps', ...about, bytes: [[0, 1]], layers: numbers, shape, ...packTensor(values, 'f16') };
}

/** Shares of a core, without those of an idle process; per frame in brackets. */
async function agentCost(name: string, [, layers, dims]: Shape, bar: string): Promise<string[]> {
  const idle = await steady('idle', { layers, dims });
  const whole: number[] = [];
  const bare: number[] = [];
  let rateText = '';
  for (let round = 0; round < STEADY_ROUNDS; round++) {
    bare.push((await steady('bare', { layers, dims })).cpuShare - idle.cpuShare);
    const report = await steady('whole', { layers, dims });
    whole.push(report.cpuShare - idle.cpuShare);
    rateText = `${(report.bytesPerSecond / 1e6).toFixed(1)} MB/s`;
  }
  const text = (share: number): string =>
    `${(share * 100).toFixed(1)} % (${((share * 1000) / TOKENS_PER_SECOND).toFixed(2)} ms)`;
  const ratio = median(whole.map((share, i) => share / (bare[i] as number)));
  return [
    `${name}, ${rateText}, of one core`,
    text(median(whole)),
    text(median(bare)),
    ratio.toFixed(1),
    bar,
  ];
}

async function steady(
  kind: SteadyOrder['kind'],
  size: Pick<SteadyOrder, 'layers' | 'dims'>,
): Promise<SteadyReport> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-'));
  const server = await (kind === 'bare' ? startBare : startWhole)(folder);
  const child = fork(new URL('./stream/steady-sender.js', import.meta.url));
  const warmUp = { warmUpTokensPerSecond: 4 * TOKENS_PER_SECOND, warmUpSeconds: 10 };
  const pace = { ...warmUp, seconds: 6, tokensPerSecond: TOKENS_PER_SECOND };
  child.send({ url: server.url, ...pace, ...size, kind } satisfies SteadyOrder);
  try {
    const [report] = (await once(child, 'message')) as [SteadyReport];
    return report;
  } finally {
    child.kill();
    await server.close();
    await rm(folder, { recursive: true });
  }
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}
