/** The two servers that are compared: the stream server with its recording, and a minimal loop of ws, write and
 * fdatasync. */
import { fdatasync, openSync, write, writev } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { WebSocketServer } from 'ws';
import { openRecording } from '../../src/journal/run-recording.ts';
import { systemClock } from '../../src/process/clock.ts';
import { encodeMessage } from '../../src/protocol/stream/codec.ts';
import { createStreamServer } from '../../src/transport/stream/receiver/server.ts';
import { STREAM_LIMITS } from '../../src/transport/stream/receiver/limits.ts';

export interface BenchServer {
  url: string;
  close(): Promise<void>;
}

const writeAsync = promisify(write);
const syncAsync = promisify(fdatasync);
const CREDITS = STREAM_LIMITS.creditBytes;

/** The minimum that makes a byte durable before it is acknowledged, without checks and without separate streams. */
export async function startBare(folder: string): Promise<BenchServer> {
  const file = openSync(join(folder, 'bare'), 'w');
  const { server, url } = await listen();
  const sockets = new WebSocketServer({ server, perMessageDeflate: false });
  sockets.on('connection', (socket) => {
    let waiting: Uint8Array[] = [];
    let greeted = false;
    let busy = false;
    let durableSeq = -1;
    const commit = async (): Promise<void> => {
      busy = true;
      while (waiting.length > 0) {
        const batch = waiting;
        waiting = [];
        await writeAll(file, batch);
        await syncAsync(file);
        durableSeq += batch.length;
        socket.send(encodeMessage({ type: 'ack', durableSeq, credits: CREDITS }));
      }
      busy = false;
    };
    socket.on('message', (data) => {
      if (!greeted) {
        greeted = true;
        return socket.send(
          encodeMessage({ type: 'welcome', hello: 0, lastEpoch: 0, durableSeq, credits: CREDITS }),
        );
      }
      waiting.push(data as Buffer);
      if (!busy) void commit();
    });
  });
  return { url, close: () => end(server, sockets) };
}

async function writeAll(file: number, parts: Uint8Array[]): Promise<void> {
  const total = parts.reduce((sum, { length }) => sum + length, 0);
  const { bytesWritten } = await promisify(writev)(file, parts);
  if (bytesWritten < total) await writeAsync(file, Buffer.concat(parts).subarray(bytesWritten));
}

export async function startWhole(folder: string): Promise<BenchServer> {
  const log = pino({ level: 'silent' });
  const recording = await openRecording({ folder, log });
  const { server, url } = await listen();
  const stream = createStreamServer({
    server,
    authorize: () => ({ run: 'bench', agent: 'a', stream: 'a', mode: 'write', expiresAtMs: Infinity }),
    record: (_, name) => recording.stream(name),
    // What is measured is the path of a frame, not an agent's share of it.
    limits: { agentBurstBytes: Infinity },
    onRecorded: () => undefined,
    log,
    clock: systemClock,
  });
  const close = async (): Promise<void> => {
    await stream.close();
    await recording.close();
    await new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
}

async function listen(): Promise<{ server: Server; url: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/stream` };
}

async function end(server: Server, sockets: WebSocketServer): Promise<void> {
  for (const client of sockets.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
}
