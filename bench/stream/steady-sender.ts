/** A child that streams 50 tokens/s of a model's layers to the analyzer's end in its parent, and says what that cost it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openSpool } from '../../src/journal/spool.ts';
import { systemClock } from '../../src/process/clock.ts';
import { createTensorPacker } from '../../src/protocol/tensor.ts';
import { createStreamSender } from '../../src/transport/stream-sender.ts';

export interface SteadyOrder {
  url: string;
  seconds: number;
  tokensPerSecond: number;
  layers: number;
  dims: number;
  /** False: the same timer and nothing else, for what the process costs by itself. */
  stream: boolean;
}

export interface SteadyReport {
  cpuShare: number;
  bytesPerSecond: number;
  drained: boolean;
}

process.once('message', (order: SteadyOrder) => void work(order).then((report) => process.send?.(report)));

async function work(order: SteadyOrder): Promise<SteadyReport> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-steady-'));
  const log = pino({ level: 'silent' });
  const spool = await openSpool({ folder, maxBytes: 2 ** 30, log });
  const { url } = order;
  const place = { url: () => url, token: () => 'x', run: 'bench', stream: 'a' };
  const sender = await createStreamSender({ ...place, spool, log, clock: systemClock });
  const { layers, dims } = order;
  const values = Float32Array.from({ length: layers * dims }, () => Math.random() * 4 - 2);
  const numbers = Array.from({ length: layers }, (_, i) => i + 1);
  const packTensor = createTensorPacker();
  const send = (step0: number): void => {
    const packed = packTensor(values, 'f16');
    const shape: [number, number, number] = [1, layers, dims];
    const about = {
      episode: 'e1',
      turn: 0,
      step0,
      role: 'speak' as const,
      bytes: [[0, 1]] as [[number, number]],
    };
    sender.append({ type: 'steps', ...about, layers: numbers, shape, tNs: step0, ...packed });
  };
  const before = process.cpuUsage();
  const startMs = performance.now();
  await paced(order, (step) => order.stream && send(step));
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  const drained = await sender.drained(10_000);
  await sender.close();
  await spool.close();
  await rm(folder, { recursive: true });
  const steps = order.seconds * order.tokensPerSecond;
  return {
    cpuShare: (user + system) / 1e6 / seconds,
    bytesPerSecond: (steps * layers * dims * 2) / seconds,
    drained,
  };
}

function paced(order: SteadyOrder, each: (step: number) => unknown): Promise<void> {
  return new Promise((resolve) => {
    let step = 0;
    const timer = setInterval(() => {
      each(step);
      step += 1;
      if (step < order.seconds * order.tokensPerSecond) return;
      clearInterval(timer);
      resolve();
    }, 1000 / order.tokensPerSecond);
  });
}
