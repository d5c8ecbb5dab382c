/** A real analyzer end and real senders on loopback, with a ledger of what was sent that knows nothing of the recording. */
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { openRecording, type Recording, type RecordingOptions } from '../src/journal/recording.ts';
import { readRecording } from '../src/journal/read-recording.ts';
import { openSpool, type Spool } from '../src/journal/spool.ts';
import { systemClock } from '../src/process/clock.ts';
import { encodeMessage } from '../src/protocol/codec.ts';
import type { DataMessage } from '../src/protocol/frames.ts';
import { packTensor } from '../src/protocol/tensor.ts';
import { createStreamSender, type Frame, type StreamSender } from '../src/transport/stream-sender.ts';
import { createStreamServer, type StreamServer } from '../src/transport/stream-server.ts';
import type { StreamLimits } from '../src/transport/stream-registry.ts';
import { createKeys, mintToken, verifyToken, type TokenClaims } from '../src/transport/token.ts';

export const RUN = 'run-1';
export const silentLog = pino({ level: process.env['ENTRAIN_TEST_LOG'] ?? 'silent' });
export const keys = createKeys();

export function tokenFor(stream: string, claims: Partial<TokenClaims> = {}): string {
  const expiresAtMs = Date.now() + 3_600_000;
  return mintToken(keys.privateKeyPem, {
    run: RUN,
    agent: stream,
    stream,
    mode: 'write',
    expiresAtMs,
    ...claims,
  });
}

export const temporaryFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'entrain-stream-'));

export interface TestAnalyzer {
  server: Server;
  port: number;
  url: string;
  stream: StreamServer;
  recording: Recording;
  recorded: { message: DataMessage; stream: string; epoch: number }[];
  close(): Promise<void>;
}

export interface TestAnalyzerOptions {
  folder: string;
  port?: number;
  limits?: Partial<StreamLimits>;
  recording?: Partial<RecordingOptions>;
}

export async function startAnalyzer(options: TestAnalyzerOptions): Promise<TestAnalyzer> {
  const server = createServer((_, response) => response.writeHead(404).end());
  const recording = await openRecording({ folder: options.folder, log: silentLog, ...options.recording });
  const recorded: TestAnalyzer['recorded'] = [];
  const stream = createStreamServer({
    server,
    authorize: (token) => verifyToken(keys.publicKeyPem, token, { nowMs: Date.now() }),
    record: (_, name) => recording.stream(name),
    onRecorded: (message, at) => recorded.push({ message, stream: at.stream, epoch: at.epoch }),
    ...(options.limits ? { limits: options.limits } : {}),
    log: silentLog,
    clock: systemClock,
  });
  await new Promise<void>((resolve) => server.listen(options.port ?? 0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const close = async (): Promise<void> => {
    await stream.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await recording.close();
  };
  return { server, port, url: `ws://127.0.0.1:${port}/stream`, stream, recording, recorded, close };
}

export interface TestAgent {
  sender: StreamSender;
  spool: Spool;
  close(): Promise<void>;
}

export async function startAgent(options: {
  url: string;
  folder: string;
  stream: string;
  maxBytes?: number;
  greetingMs?: number;
}): Promise<TestAgent> {
  const { url, folder, stream, maxBytes = 64 * 2 ** 20, greetingMs = 2000 } = options;
  const spool = await openSpool({ folder, maxBytes, log: silentLog });
  const sender = await createStreamSender({
    url: () => url,
    token: () => tokenFor(stream),
    run: RUN,
    stream,
    spool,
    log: silentLog,
    clock: systemClock,
    greetingMs,
  });
  const close = async (): Promise<void> => {
    await sender.close();
    await spool.close();
  };
  return { sender, spool, close };
}

/** A steps frame of `values` float16 values that no other has. */
export function stepsFrame(turn: number, values = 64): Extract<Frame, { type: 'steps' }> {
  const data = Float32Array.from({ length: values }, (_, i) => Math.fround(((turn * 31 + i * 7) % 997) / 64));
  const packed = packTensor(data, 'f16');
  return {
    type: 'steps',
    episode: 'e1',
    turn,
    step0: 0,
    role: 'speak',
    bytes: [[0, 1]],
    layers: [1],
    shape: [1, 1, values],
    dtype: packed.dtype,
    tNs: turn * 1000,
    crc32: packed.crc32,
    data: packed.data,
  };
}

export const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Key and hash of a frame, as the ledger and the recording must agree on. */
export const ledgerLine = (stream: string, epoch: number, message: DataMessage): string =>
  `${stream}/${epoch}/${message.seq} ${hashOf(encodeMessage(inOrder(message)))}`;

/** The fields of a message have no order of their own. */
function inOrder(message: DataMessage): DataMessage {
  return Object.fromEntries(Object.entries(message).sort(([a], [b]) => (a < b ? -1 : 1))) as never;
}

/** Every line of the recording, in its order. */
export async function recordedLines(folder: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const { stream, epoch, message } of readRecording(folder))
    lines.push(ledgerLine(stream, epoch, message));
  return lines;
}

/** Polls until the condition holds. */
export async function waitFor(
  holds: () => boolean | Promise<boolean>,
  { what = 'condition', timeoutMs = 20_000 } = {},
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`timed out waiting for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
