/**
 * One WebSocket to the analyzer that is kept up for ever: backoff with jitter, and a peer that falls silent is given up
 * within ten seconds, also when only one direction of the line is dead.
 */
import { WebSocket } from 'ws';
import type { Logger } from '../process/log.ts';
import type { Clock } from '../process/clock.ts';

export interface StreamSocketOptions {
  url: string;
  token: () => string;
  /** PEM texts for wss. */
  tls?: { ca?: string; cert?: string; key?: string };
  log: Logger;
  clock: Clock;
  onOpen(): void;
  onMessage(bytes: Uint8Array): void;
  onClose(): void;
}

export interface StreamSocket {
  send(bytes: Uint8Array): void;
  /** Drops the connection; a new one is made at once or after the backoff. */
  drop(reason: string): void;
  /** The peer has answered as it should: the next failure starts with the shortest wait. */
  settled(): void;
  connections(): number;
  close(): Promise<void>;
}

const HANDSHAKE_MS = 5000;
const PING_MS = 2500;
const SILENCE_MS = 8000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;

export function connectStreamSocket(options: StreamSocketOptions): StreamSocket {
  const { log } = options;
  let socket: WebSocket | undefined;
  let failures = 0;
  let connections = 0;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  const dial = (): void => {
    const attempt = openSocket(options);
    socket = attempt;
    const stopWatching = watchSilence(attempt, options);
    attempt.on('open', () => {
      connections += 1;
      options.onOpen();
    });
    attempt.on('error', (error) => log.debug({ err: error }, 'stream connection failed'));
    attempt.on('close', (code) => {
      stopWatching();
      options.onClose();
      if (closed) return;
      const waitMs = waitAfter((failures += 1));
      log.info({ code, waitMs }, 'stream connection closed; connecting again');
      timer = setTimeout(dial, waitMs);
    });
  };
  dial();
  return {
    send: (bytes) => {
      if (socket?.readyState === WebSocket.OPEN) socket.send(bytes);
    },
    drop: (reason) => {
      log.warn({ reason }, 'stream connection dropped');
      socket?.terminate();
    },
    settled: () => {
      failures = 0;
    },
    connections: () => connections,
    close: async () => {
      closed = true;
      clearTimeout(timer);
      if (socket) await closeSocket(socket);
    },
  };
}

function openSocket(options: StreamSocketOptions): WebSocket {
  const socket = new WebSocket(options.url, {
    headers: { authorization: `Bearer ${options.token()}` },
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
    maxPayload: 64 * 1024,
    ...options.tls,
  });
  socket.on('message', (data, isBinary) => {
    if (isBinary) options.onMessage(data as Buffer);
  });
  return socket;
}

/** Full jitter between half and the whole of a doubling wait. */
function waitAfter(failures: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10));
  return Math.round(longest * (0.5 + Math.random() / 2));
}

function watchSilence(socket: WebSocket, { clock }: StreamSocketOptions): () => void {
  let heardMs = clock.monotonicMs();
  const hear = (): void => {
    heardMs = clock.monotonicMs();
  };
  socket.on('message', hear).on('pong', hear).on('open', hear);
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (clock.monotonicMs() - heardMs > SILENCE_MS) socket.terminate();
    else socket.ping();
  }, PING_MS);
  return () => clearInterval(timer);
}

async function closeSocket(socket: WebSocket): Promise<void> {
  if (socket.readyState === WebSocket.CLOSED) return;
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const force = setTimeout(() => socket.terminate(), 1000);
  socket.close(1000);
  await closed;
  clearTimeout(force);
}
