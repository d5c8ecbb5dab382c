/**
 * The analyzer's end of the activation stream. A client that may not write is refused before the upgrade. An
 * invalid frame ends the connection. A valid frame is recorded, then acknowledged, then handed on.
 */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { WebSocketServer, type WebSocket } from 'ws';
import { EntrainError } from '../../../protocol/errors.ts';
import { credentialsIn } from '../../http/access.ts';
import { createAgentRates } from './agent-rates.ts';
import { serveConnection } from './connection.ts';
import {
  countRefused,
  forgetStreams,
  type RefusalCause,
  type ServerState,
  type StreamServerOptions,
} from './registry.ts';
import type { IncomingStream, StreamFigures } from './incoming-stream.ts';
import { REFUSAL_HEADER } from '../sender/socket.ts';
import type { TokenClaims } from '../auth/access-token.ts';
import { STREAM_LIMITS } from './limits.ts';

export type { StreamFigures } from './incoming-stream.ts';

export interface StreamServerStatus {
  connections: number;
  /** Number of refused connections and frames, by cause. */
  refused: Record<string, number>;
  streams: StreamFigures[];
}

export interface StreamServer {
  status(): StreamServerStatus;
  /**
   * Keeps nothing of the streams of a run, so that the next hello has its recording opened again.
   * @returns false, with nothing done, if somebody is connected to one of them or a frame is on its way to the disk
   */
  forget(run: string): boolean;
  /** Ends every connection; settles when all accepted frames are recorded, or after 2 s. */
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
      // No other listener would answer, and a socket that waits for an answer would stay open for ever.
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
    forget: (run) => forgetStreams(state, run),
    close: async () => {
      server.off('upgrade', upgrade);
      for (const client of sockets.clients) client.terminate();
      await lastFrames(state);
    },
  };
}

function openState(options: StreamServerOptions): ServerState {
  const limits = { ...STREAM_LIMITS, ...options.limits };
  return {
    options,
    limits,
    rates: createAgentRates(limits, options.clock),
    streams: new Map(),
    openStreams: new Map(),
    refused: {},
    addresses: new Map(),
    agents: new Map(),
    clients: new Map(),
  };
}

function statusOf(state: ServerState): Omit<StreamServerStatus, 'connections'> {
  const streams = [...state.openStreams.values()].map((incoming) => ({
    ...incoming.figures,
    ackLagMs: ackLag(state, incoming),
  }));
  return { refused: { ...state.refused }, streams };
}

/**
 * Waits for the last frames to be recorded. With a full disk that may never happen; they were not acknowledged,
 * so the senders still have them.
 */
async function lastFrames(state: ServerState): Promise<void> {
  const idle = Promise.all([...state.openStreams.values()].map((incoming) => incoming.idle));
  const late = new AbortController();
  await Promise.race([
    idle,
    delay(LAST_FRAMES_MS, undefined, { signal: late.signal }).catch(() => undefined),
  ]);
  late.abort();
}

/** The claims of a client that may write; undefined if the client was refused, which is answered here. */
function admit(
  state: ServerState,
  request: IncomingMessage,
  { socket, open }: { socket: Duplex; open: number },
): TokenClaims | undefined {
  const { limits, options } = state;
  const here = state.addresses.get(request.socket.remoteAddress ?? '') ?? 0;
  if (open >= limits.connections || here >= limits.connectionsPerAddress)
    return refuse(state, socket, { status: '503 Service Unavailable', cause: 'connections' });
  const token = credentialsIn(request.headers.authorization, 'bearer');
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
  // A client that keeps its own half open would keep the socket, which nobody counts any more.
  socket.once('finish', () => socket.destroy());
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
  closeOldest(state, client, claims);
  serveConnection(state, client, claims);
}

/** Counts an open connection under its key until it is closed. */
function count(open: Map<string, number>, key: string, client: WebSocket): void {
  open.set(key, (open.get(key) ?? 0) + 1);
  client.on('close', () => {
    const left = (open.get(key) ?? 1) - 1;
    if (left > 0) open.set(key, left);
    else open.delete(key);
  });
}

/**
 * Keeps the newest connections of a stream, so that an agent that comes back is not kept out by its own dead
 * connections.
 */
function closeOldest(state: ServerState, client: WebSocket, { run, stream }: TokenClaims): void {
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

function ackLag(state: ServerState, incoming: IncomingStream): number {
  const oldest = incoming.waiting[0];
  const waitedMs = oldest ? state.options.clock.monotonicMs() - oldest.atMs : 0;
  return Math.max(waitedMs, incoming.figures.ackLagMs);
}
