/**
 * Limits on what a client may hold of an HTTP server: the number of connections, of requests under way on each,
 * and the time without progress. A connection upgraded to a WebSocket no longer counts here; the stream server
 * has its own limits.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

export interface HttpLimits {
  /** Most connections at a time. At the limit, the oldest one without a request under way is closed. */
  connections: number;
  /** Most unanswered requests of one connection; a client that pipelines more is cut off. */
  pipelined: number;
  /** How long a client may take for the handshake, for its request, or to read on, in milliseconds. */
  idleMs: number;
}

export const HTTP_LIMITS: HttpLimits = { connections: 256, pipelined: 16, idleMs: 10_000 };

export interface ConnectionLimits {
  /** Counts a request; false if its connection was cut off for it. */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /** Stops counting a connection that is no longer HTTP. */
  release(socket: Socket): void;
}

interface Held {
  socket: Socket;
  /** Requests under way. */
  pending: number;
}

export function limitConnections(server: Server | TlsServer, limits: HttpLimits): ConnectionLimits {
  /** By the client's address and port, which a TLS socket and the socket below it share; oldest first. */
  const held = new Map<string, Held>();
  server.requestTimeout = limits.idleMs;
  server.headersTimeout = limits.idleMs;
  server.keepAliveTimeout = limits.idleMs;
  server.timeout = limits.idleMs;
  server.on('connection', (socket: Socket) => {
    if (held.size >= limits.connections) makeRoom(held);
    if (held.size >= limits.connections) return void socket.destroy();
    const key = keyOf(socket);
    const entry = { socket, pending: 0 };
    held.set(key, entry);
    socket.once('close', () => held.get(key) === entry && held.delete(key));
  });
  return {
    begin: ({ socket }, response) => {
      const entry = held.get(keyOf(socket));
      if (!entry) return true;
      entry.pending += 1;
      response.once('close', () => (entry.pending -= 1));
      if (entry.pending <= limits.pipelined) return true;
      entry.socket.destroy();
      return false;
    },
    release: (socket) => void held.delete(keyOf(socket)),
  };
}

function makeRoom(held: Map<string, Held>): void {
  for (const [key, { socket, pending }] of held) {
    if (pending > 0) continue;
    held.delete(key);
    socket.destroy();
    return;
  }
}

const keyOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
