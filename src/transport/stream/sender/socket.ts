/**
 * A WebSocket to the analyzer that reconnects for ever, with exponential backoff and jitter. A peer that does
 * not answer for 6.5 s is given up, also when only one direction of the connection is dead.
 */
import { WebSocket } from 'ws';
import { EntrainError } from '../../../protocol/errors.ts';
import type { Clock } from '../../../process/clock.ts';
import type { Logger } from '../../../process/log.ts';
import { requireFingerprint, type ClientTls } from '../../http/tls.ts';

export interface StreamSocketOptions {
  /** Called at every attempt, since an analyzer may come back at another address. */
  url: () => string;
  token: () => string;
  /** Needed for `wss:`. */
  tls?: ClientTls;
  /** SHA-256 of the only certificate that is accepted; called at every attempt. */
  fingerprint?: () => string | undefined;
  log: Logger;
  clock: Clock;
  onOpen(): void;
  onMessage(bytes: Uint8Array): void;
  onClose(): void;
  /**
   * Called when the analyzer refuses the token, shows another certificate, or was not reached several times:
   * address, token and certificate may be others by now, and the next attempt asks for them again.
   */
  onFailing?(): void;
}

export interface StreamSocket {
  /** `done` is called when the bytes are no longer needed. */
  send(bytes: Uint8Array, done?: () => void): void;
  /** Closes the connection; the next attempt follows after the backoff. */
  drop(reason: string): void;
  /** Resets the backoff; called when the peer has answered as it should. */
  settled(): void;
  /** Notes that the peer has answered something that was sent, so both directions work. */
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
/** The first warning comes after about a second of failures, later ones about every twenty seconds. */
const FAILURES_PER_WARNING = 4;
/** Response header with the reason for which the analyzer refuses a connection. */
export const REFUSAL_HEADER = 'entrain-refusal';
const REFUSED =
  'the analyzer refuses the token of this stream; states wait in the spool while another one is asked for. Where the next is refused too, compare the clocks of the machines of coordinator and analyzer';
const UNTRUSTED =
  'the analyzer is not the one that the coordinator named: states wait in the spool, and nothing is sent to what answers at its address';
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
  // The reason may be a certificate error, which no waiting mends.
  let why: string | undefined;
  let refusal: string | undefined;
  socket.on('unexpected-response', (_, response) => {
    const said = response.headers[REFUSAL_HEADER];
    why = `status ${response.statusCode}${typeof said === 'string' ? `: ${said}` : ''}`;
    if (response.statusCode === UNAUTHORIZED) refusal = REFUSED;
    socket.terminate();
  });
  socket.on('error', (error) => {
    why ??= error instanceof EntrainError ? `${error.message} (${error.code})` : error.message;
    if (error instanceof EntrainError) refusal = UNTRUSTED;
  });
  socket.on('close', (code) => {
    stopWatching();
    options.onClose();
    if (line.closed) return;
    line.failures += 1;
    const waitMs = waitAfter(line.failures);
    options.log.info({ code, why, waitMs }, 'stream connection closed; connecting again');
    const isUnreached = line.failures % FAILURES_PER_WARNING === 0;
    if (refusal || isUnreached) options.onFailing?.();
    if (refusal ? line.failures % FAILURES_PER_WARNING === 1 : isUnreached)
      options.log.warn({ url: options.url(), why }, refusal ?? UNREACHABLE);
    line.timer = setTimeout(() => dial(line), waitMs);
  });
}

function openSocket(options: StreamSocketOptions): WebSocket {
  const fingerprint = options.fingerprint?.();
  const socket = new WebSocket(options.url(), {
    headers: { authorization: `Bearer ${options.token()}` },
    handshakeTimeout: HANDSHAKE_MS,
    perMessageDeflate: false,
    maxPayload: 64 * 1024,
    generateMask: leaveUnmasked,
    ...options.tls,
    ...(fingerprint === undefined ? {} : { checkServerIdentity: requireFingerprint(fingerprint) }),
  });
  socket.on('message', (data, isBinary) => {
    if (isBinary) options.onMessage(data as Buffer);
  });
  return socket;
}

/**
 * Uses a mask of zeros. WebSocket masking keeps scripts of a web page from sending bytes that a proxy takes for
 * a request; no web page sends here, and masking 13 MB/s byte by byte would be an agent's largest cost.
 */
function leaveUnmasked(mask: Buffer): void {
  mask.fill(0);
}

/** Exponential backoff with jitter: between half of the doubled wait and all of it, in milliseconds. */
function waitAfter(failures: number): number {
  const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 10));
  return Math.round(longest * (0.5 + Math.random() / 2));
}

function hear(line: Line): void {
  line.heardMs = line.options.clock.monotonicMs();
}

/**
 * Ends a connection whose peer no longer answers. Only answers count: when the way to the peer is dead, what it
 * sends by itself still arrives.
 */
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
