/**
 * The analyzer's end of the activation stream. Who may not write is refused before the upgrade; what is not a valid frame
 * ends the connection; what is valid is recorded, then acknowledged, then handed on.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import { EntrainError } from '../../protocol/errors.ts';
import { serveConnection } from './connection.ts';
import {
  countRefused,
  STREAM_LIMITS,
  type RefusalCause,
  type ServerState,
  type StreamServerOptions,
} from './registry.ts';
import type { Seat, StreamFigures } from './slot.ts';
import { REFUSAL_HEADER } from './socket.ts';
import type { TokenClaims } from './token.ts';

export type { StreamFigures } from './slot.ts';

export interface StreamServerStatus {
  connections: number;
  /** Connections and frames that were turned away, by cause. */
  refused: Record<string, number>;
  streams: StreamFigures[];
}

export interface StreamServer {
  status(): StreamServerStatus;
  /** Ends every connection and settles when what was accepted is recorded. */
  close(): Promise<void>;
}

/** How long a closing server waits for the disk. */
const LAST_FRAMES_MS = 2000;

export function createStreamServer(options: StreamServerOptions): StreamServer {
  const { server, path = '/stream' } = options;
  const state = openState(options);
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: state.limits.maxMessageBytes,
    perMessageDeflate: false,
  });
  const upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    if ((request.url ?? '/').split('?')[0] !== path) {
      // Nobody else would answer, and a socket that waits for an answer is held for ever.
      if (server.listenerCount('upgrade') === 1)
        refuse(state, socket, { status: '404 Not Found', cause: 'path' });
      return;
    }
    const claims = admit(state, request, { socket, open: sockets.clients.size });
    if (!claims) return;
    sockets.handleUpgrade(request, socket, head, (client) => serve(state, client, { request, claims }));
  };
  server.on('upgrade', upgrade);
  return {
    status: () => ({ connections: sockets.clients.size, ...statusOf(state) }),
    close: async () => {
      server.off('upgrade', upgrade);
      for (const client of sockets.clients) client.terminate();
      await lastFrames(state);
    },
  };
}

function openState(options: StreamServerOptions): ServerState {
  return {
    options,
    limits: { ...STREAM_LIMITS, ...options.limits },
    seats: new Map(),
    figures: new Map(),
    refused: {},
    addresses: new Map(),
    agents: new Map(),
    clients: new Map(),
  };
}

function statusOf(state: ServerState): Omit<StreamServerStatus, 'connections'> {
  const streams = [...state.figures.values()].map((seat) => ({
    ...seat.figures,
    ackLagMs: ackLag(state, seat),
  }));
  return { refused: { ...state.refused }, streams };
}

/** A full disk may never take the rest; it was not acknowledged, so the senders still have it. */
async function lastFrames(state: ServerState): Promise<void> {
  const idle = Promise.all([...state.figures.values()].map((seat) => seat.idle));
  const late = new AbortController();
  await Promise.race([
    idle,
    delay(LAST_FRAMES_MS, undefined, { signal: late.signal }).catch(() => undefined),
  ]);
  late.abort();
}

/** The claims of a client that may write, or undefined when it was answered with a refusal. */
function admit(
  state: ServerState,
  request: IncomingMessage,
  { socket, open }: { socket: Duplex; open: number },
): TokenClaims | undefined {
  const { limits, options } = state;
  const here = state.addresses.get(request.socket.remoteAddress ?? '') ?? 0;
  if (open >= limits.connections || here >= limits.connectionsPerAddress)
    return refuse(state, socket, { status: '503 Service Unavailable', cause: 'connections' });
  const token = /^Bearer ([\w.-]+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  try {
    const claims = options.authorize(token);
    if (claims.mode !== 'write') return refuse(state, socket, { status: '403 Forbidden', cause: 'mode' });
    if ((state.agents.get(claims.agent) ?? 0) < limits.connectionsPerAgent) return claims;
    return refuse(state, socket, { status: '503 Service Unavailable', cause: 'agent_connections' });
  } catch (error) {
    const cause = error instanceof EntrainError ? error.code : 'authorize';
    const why = error instanceof EntrainError ? error.message : undefined;
    return refuse(state, socket, { status: '401 Unauthorized', cause, why });
  }
}

function refuse(
  state: ServerState,
  socket: Duplex,
  { status, cause, why }: { status: string; cause: RefusalCause; why?: string | undefined },
): undefined {
  countRefused(state, cause, why);
  socket.on('error', () => undefined);
  const reason = why === undefined ? '' : `${REFUSAL_HEADER}: ${why.replaceAll(/[^ -~]/g, ' ')}\r\n`;
  socket.end(`HTTP/1.1 ${status}\r\n${reason}connection: close\r\ncontent-length: 0\r\n\r\n`);
  return undefined;
}

function serve(
  state: ServerState,
  client: WebSocket,
  { request, claims }: { request: IncomingMessage; claims: TokenClaims },
): void {
  count(state.addresses, request.socket.remoteAddress ?? '', client);
  count(state.agents, claims.agent, client);
  makeRoom(state, client, claims);
  serveConnection(state, client, claims);
}

/** Until the client is gone. */
function count(open: Map<string, number>, key: string, client: WebSocket): void {
  open.set(key, (open.get(key) ?? 0) + 1);
  client.on('close', () => {
    const left = (open.get(key) ?? 1) - 1;
    if (left > 0) open.set(key, left);
    else open.delete(key);
  });
}

/** The newest connections of a stream stay: an agent that comes back may not be kept out by its own dead lines. */
function makeRoom(state: ServerState, client: WebSocket, { run, stream }: TokenClaims): void {
  const key = `${run}/${stream}`;
  const open = [...(state.clients.get(key) ?? []), client];
  for (const oldest of open.splice(0, open.length - state.limits.connectionsPerStream)) {
    countRefused(state, 'stream_connections');
    oldest.terminate();
  }
  state.clients.set(key, open);
  client.on('close', () => {
    const left = (state.clients.get(key) ?? []).filter((one) => one !== client);
    if (left.length > 0) state.clients.set(key, left);
    else state.clients.delete(key);
  });
}

function ackLag(state: ServerState, seat: Seat): number {
  const oldest = seat.waiting[0];
  const waitedMs = oldest ? state.options.clock.monotonicMs() - oldest.atMs : 0;
  return Math.max(waitedMs, seat.figures.ackLagMs);
}
