/**
 * A child process that streams a model's layers at a given rate to the receiver in its parent, and reports the cost.
 */
import { openSync, writevSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { openSpool } from '../../src/journal/spool.ts';
import { systemClock } from '../../src/process/clock.ts';
import { decodeMessage, encodeMessage } from '../../src/protocol/stream/codec.ts';
import { createTensorPacker, type PackedTensor } from '../../src/protocol/stream/tensor.ts';
import { createStreamSender, type Frame } from '../../src/transport/stream/sender/sender.ts';

export interface SteadyOrder {
  url: string;
  /**
   * The JavaScript engine still compiles in an agent's first minutes, so the warm-up has a higher rate.
   */
  warmUpTokensPerSecond: number;
  warmUpSeconds: number;
  seconds: number;
  tokensPerSecond: number;
  layers: number;
  dims: number;
  /**
   * `whole`: as an agent does. `bare`: prepared bytes are written to a file and sent, without durability. `idle`: only
   * the same timer, for the cost of the process itself.
   */
  kind: 'whole' | 'bare' | 'idle';
}

export interface SteadyReport {
  cpuShare: number;
  bytesPerSecond: number;
}

interface Line {
  send(step: number): void;
  close(): Promise<void>;
}

process.once('message', (order: SteadyOrder) => void work(order).then((report) => process.send?.(report)));

async function work(order: SteadyOrder): Promise<SteadyReport> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-steady-'));
  const line = await { whole: openWhole, bare: openBare, idle: openIdle }[order.kind](order, folder);
  await paced({ tokensPerSecond: order.warmUpTokensPerSecond }, order.warmUpSeconds, line);
  const before = process.cpuUsage();
  const startMs = performance.now();
  await paced(order, order.seconds, line);
  const seconds = (performance.now() - startMs) / 1000;
  const { user, system } = process.cpuUsage(before);
  await line.close();
  await rm(folder, { recursive: true });
  const { layers, dims, tokensPerSecond } = order;
  return {
    cpuShare: (user + system) / 1e6 / seconds,
    bytesPerSecond: (order.seconds * tokensPerSecond * layers * dims * 2) / seconds,
  };
}

async function openWhole(order: SteadyOrder, folder: string): Promise<Line> {
  const log = pino({ level: 'silent' });
  const spool = await openSpool({ folder, maxBytes: 2 ** 30, log });
  const place = { url: () => order.url, token: () => 'x', run: 'bench', stream: 'a' };
  const sender = await createStreamSender({ ...place, spool, log, clock: systemClock });
  const values = valuesOf(order);
  const pack = createTensorPacker();
  return {
    send: (step) => void sender.append(frameOf(order, step, pack(values, 'f16'))),
    close: async () => {
      if (!(await sender.drained(10_000))) throw new Error('frames were not acknowledged');
      await sender.close();
      await spool.close();
    },
  };
}

async function openBare(order: SteadyOrder, folder: string): Promise<Line> {
  const file = openSync(join(folder, 'bare'), 'w');
  const socket = new WebSocket(order.url, {
    headers: { authorization: 'Bearer x' },
    perMessageDeflate: false,
    generateMask: (mask) => void mask.fill(0),
  });
  await new Promise((resolve) => socket.once('open', resolve));
  const from = { run: 'bench', stream: 'a', epoch: 1, firstSeq: 0, lastSeq: -1 };
  socket.send(encodeMessage({ type: 'hello', version: [2, 0], ...from }));
  await new Promise((resolve) => socket.once('message', resolve));
  socket.on('message', (data) => void decodeMessage(data as Buffer));
  const packed = createTensorPacker()(valuesOf(order), 'f16');
  // Few, so that they stay in the processor's caches like one buffer that is reused.
  const frames = [0, 1].map((seq) => encodeMessage({ ...frameOf(order, seq, packed), seq }));
  return {
    send: (step) => {
      const frame = frames[step % frames.length] as Uint8Array;
      writevSync(file, [frame]);
      socket.send(frame);
    },
    close: () => Promise.resolve(socket.terminate()),
  };
}

function openIdle(): Promise<Line> {
  return Promise.resolve({ send: () => undefined, close: () => Promise.resolve() });
}

function valuesOf({ layers, dims }: SteadyOrder): Float32Array {
  return Float32Array.from({ length: layers * dims }, () => Math.random() * 4 - 2);
}

function frameOf({ layers, dims }: SteadyOrder, step0: number, packed: PackedTensor): Frame {
  return {
    type: 'steps',
    episode: 'e1',
    turn: 0,
    step0,
    role: 'speak',
    bytes: [[0, 1]],
    layers: Array.from({ length: layers }, (_, i) => i + 1),
    shape: [1, layers, dims],
    tNs: step0,
    ...packed,
  };
}

/** Late ticks are made up for, so that the mean rate is as given. */
function paced(
  { tokensPerSecond }: Pick<SteadyOrder, 'tokensPerSecond'>,
  seconds: number,
  line: Line,
): Promise<void> {
  const startMs = performance.now();
  return new Promise((resolve) => {
    let step = 0;
    const tick = (): void => {
      line.send(step);
      step += 1;
      if (step === seconds * tokensPerSecond) return resolve();
      setTimeout(tick, Math.max(0, startMs + (step * 1000) / tokensPerSecond - performance.now()));
    };
    tick();
  });
}
