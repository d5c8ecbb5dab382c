/**
 * One WebSocket to the analyzer that is kept up for ever: backoff with jitter, and a peer that falls silent is given up
 * within ten seconds, also when only one direction of the line is dead.
 */
import { WebSocket } from 'ws';
import type { Logger } from '../../process/log.ts';
import type { Clock } from '../../process/clock.ts';
import type { ClientTls } from '../http/tls.ts';

export interface StreamSocketOptions {
  /** Asked at every attempt: an analyzer may come back at another address. */
  url: () => string;
  token: () => string;
  /** For wss. */
  tls?: ClientTls;
  log: Logger;
  clock: Clock;
  onOpen(): void;
  onMessage(bytes: Uint8Array): void;
  onClose(): void;
  /** The analyzer does not take the token; the next attempt asks for it anew. */
  onRefused?(): void;
}

export interface StreamSocket {
  /** `done` is called once the bytes are not needed any more. */
  send(bytes: Uint8Array, done?: () => void): void;
  /** Drops the connection; a new one is made at once or after the backoff. */
  drop(reason: string): void;
  /** The peer has answered as it should: the next failure starts with the shortest wait. */
  settled(): void;
  /** The peer has answered something that was sent: both directions work. */
  heard(): void;
  connections(): number;
  close(): Promise<void>;
}

const UNAUTHORIZED = 401;
const HANDSHAKE_MS = 5000;
const PING_MS = 2000;
const SILENCE_MS = 6500;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 5000;
/** About a second of failures at first, then some twenty seconds. */
const FAILURES_PER_WARNING = 4;
/** What the analyzer says of a connection that it refuses. */
export const REFUSAL_HEADER = 'entrain-refusal';
const REFUSED =
  'the analyzer refuses the token of this stream; states wait in the spool while another one is asked for. Where the next is refused too, compare the clocks of the machines of coordinator and analyzer';
const UNREACHABLE =
  'the analyzer cannot be reached: states wait in the spool; where its certificate is not believed, give its authority with --tls-ca';

interface Line {
  options: StreamSocketOptions;
  socket: WebSocket | undefined;
  failures: number;
  connections: number;
  heardMs: number;
  timer: NodeJS.Timeout | undefined;
  closed: boolean;
}

export function connectStreamSocket(options: StreamSocketOptions): StreamSocket {
  const line: Line = {
    options,
    socket: undefined,
    failures: 0,
    connections: 0,
    heardMs: 0,
    timer: undefined,
    closed: false,
  };
  dial(line);
  return {
    send: (bytes, done) => {
      if (line.socket?.readyState === WebSocket.OPEN) line.socket.send(bytes, done);
      else done?.();
    },
    drop: (reason) => {
      options.log.warn({ reason }, 'stream connection dropped');
      line.socket?.terminate();
    },
    settled: () => {
      line.failures = 0;
    },
    heard: () => hear(line),
    connections: () => line.connections,
    close: async () => {
      line.closed = true;
      clearTimeout(line.timer);
      if (line.socket) await closeSocket(line.socket);
    },
  };
}

function dial(line: Line): void {
  const { options } = line;
  const socket = openSocket(options);
  line.socket = socket;
  const stopWatching = watchSilence(line, socket);
  socket.on('open', () => {
    line.connections += 1;
    if (line.connections > 1) options.log.info({ connections: line.connections }, 'stream connected again');
    options.onOpen();
  });
  // Which may be a certificate that no waiting will mend.
  let why: string | undefined;
  let refused = false;
  socket.on('unexpected-response', (_, response) => {
    const said = response.headers[REFUSAL_HEADER];
    why = `status ${response.statusCode}${typeof said === 'string' ? `: ${said}` : ''}`;
    refused = response.statusCode === UNAUTHORIZED;
    socket.terminate();
  });
  socket.on('error', (error) => {
    why ??= error.message;
  });
  socket.on('close', (code) => {
    stopWatching();
    options.onClose();
    if (line.closed) return;
    line.failures += 1;
    const waitMs = waitAfter(line.failures);
    options.log.info({ code, why, waitMs }, 'stream connection closed; connecting again');
    if (refused) options.onRefused?.();
    if (line.failures % FAILURES_PER_WARNING === (refused ? 1 : 0))
      options.log.warn({ url: options.url(), why }, refused ? REFUSED : UNREACHABLE);
    line.timer = setTimeout(() => dial(line), waitMs);
  });
}

function openSocket(options: StreamSocketOptions): WebSocket {
  const socket = new WebSocket(options.url(), {
    headers: { authorization: `Bearer ${options.token()}` },
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
    maxPayload: 64 * 1024,
    generateMask: leaveUnmasked,
    ...options.tls,
  });
  socket.on('message', (data, isBinary) => {
    if (isBinary) options.onMessage(data as Buffer);
  });
  return socket;
}

/**
 * The mask of WebSocket keeps scripts of a web page from writing what a careless proxy takes for a request. No page writes
 * here, and to mask 13 MB/s byte by byte would be the dearest thing an agent does; a mask of zeros changes nothing.
 */
function leaveUnmasked(mask: Buffer): void {
  mask.fill(0);
}

/** Full jitter between half and the whole of a doubling wait. */
function waitAfter(failures: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10));
  return Math.round(longest * (0.5 + Math.random() / 2));
}

function hear(line: Line): void {
  line.heardMs = line.options.clock.monotonicMs();
}

/** Only an answer counts: what the peer sends by itself still comes when the way there is dead. */
function watchSilence(line: Line, socket: WebSocket): () => void {
  socket.on('pong', () => hear(line)).on('open', () => hear(line));
  const timer = setInterval(() => {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (line.options.clock.monotonicMs() - line.heardMs > SILENCE_MS) socket.terminate();
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
