/**
 * Sends the same frames to a given server, as fast as the window allows or at a given rate, and times the
 * acknowledgements. It runs in a thread of its own, so that it costs both servers the same.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { WebSocket } from 'ws';
import { decodeMessage, encodeMessage } from '../../src/protocol/stream/codec.ts';
import { packTensor } from '../../src/protocol/stream/tensor.ts';

export interface FloodOrder {
  url: string;
  token: string;
  run: string;
  stream: string;
  frames: number;
  shape: [steps: number, layers: number, dims: number];
  windowBytes: number;
  /** Whether to mask frames as other WebSocket clients do; an agent's mask is zero. */
  masked: boolean;
  /** 0: as fast as the window allows. */
  everyMs: number;
}

export interface FloodReport {
  seconds: number;
  bytes: number;
  p50Ms: number;
  p99Ms: number;
}

const order = workerData as FloodOrder;

function encodeFrames(): Uint8Array[] {
  const [steps, layers, dims] = order.shape;
  const values = Float32Array.from({ length: steps * layers * dims }, () => Math.random() * 4 - 2);
  const packed = packTensor(values, 'f16');
  return Array.from({ length: order.frames }, (_, seq) =>
    encodeMessage({
      type: 'steps',
      seq,
      episode: 'e1',
      turn: 0,
      step0: seq,
      role: 'speak',
      bytes: Array.from({ length: steps }, (__, i) => [i, i + 1]),
      layers: Array.from({ length: layers }, (__, i) => i + 1),
      shape: order.shape,
      tNs: seq,
      ...packed,
    }),
  );
}

function flood(frames: Uint8Array[]): void {
  const { run, stream, url, token } = order;
  const socket = new WebSocket(url, {
    headers: { authorization: `Bearer ${token}` },
    perMessageDeflate: false,
    ...(order.masked ? {} : { generateMask: (mask: Buffer) => void mask.fill(0) }),
  });
  const sentMs: number[] = [];
  const lagsMs: number[] = [];
  let next = 0;
  let acked = 0;
  let inFlight = 0;
  let startMs = 0;
  const sendOne = (): void => {
    const frame = frames[next] as Uint8Array;
    sentMs[next] = performance.now();
    inFlight += frame.length;
    next += 1;
    socket.send(frame);
  };
  const hasRoom = (): boolean =>
    inFlight === 0 || inFlight + (frames[next]?.length ?? 0) <= order.windowBytes;
  const pump = (): void => {
    while (next < frames.length && hasRoom()) sendOne();
  };
  const begin = (): void => {
    startMs = performance.now();
    if (order.everyMs === 0) return pump();
    const timer = setInterval(() => {
      if (next < frames.length) sendOne();
      else clearInterval(timer);
    }, order.everyMs);
  };
  const takeAck = (durableSeq: number): void => {
    const nowMs = performance.now();
    for (; acked <= durableSeq; acked++) {
      lagsMs.push(nowMs - (sentMs[acked] as number));
      inFlight -= frames[acked]?.length ?? 0;
    }
    if (acked === frames.length) return report((nowMs - startMs) / 1000);
    if (order.everyMs === 0) pump();
  };
  const report = (seconds: number): void => {
    lagsMs.sort((a, b) => a - b);
    const at = (share: number): number => lagsMs[Math.floor(share * (lagsMs.length - 1))] as number;
    const bytes = frames.reduce((sum, { length }) => sum + length, 0);
    socket.terminate();
    parentPort?.postMessage({ seconds, bytes, p50Ms: at(0.5), p99Ms: at(0.99) } satisfies FloodReport, []);
  };
  socket.on('open', () =>
    socket.send(
      encodeMessage({ type: 'hello', version: [2, 0], run, stream, epoch: 1, firstSeq: 0, lastSeq: -1 }),
    ),
  );
  socket.on('message', (data) => {
    const message = decodeMessage(data as Buffer);
    if (message.type === 'welcome') begin();
    if (message.type === 'ack') takeAck(message.durableSeq);
  });
}

flood(encodeFrames());
