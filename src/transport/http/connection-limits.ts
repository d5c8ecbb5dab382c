/**
 * Bounds on what a client may hold of an HTTP server: connections in number, requests under way on each, and time
 * without a step. What was
 * upgraded to a WebSocket is no longer counted here; the stream has limits of its own.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';

export interface HttpLimits {
  /** Connections at a time. At the limit the oldest one on which nothing is under way makes room. */
  connections: number;
  /** Requests of one connection that are not answered yet; a client that pipelines more is cut off. */
  pipelined: number;
  /** How long a client may take to shake hands, to say what it wants, or to read on. */
  patienceMs: number;
}

export const HTTP_LIMITS: HttpLimits = { connections: 256, pipelined: 16, patienceMs: 10_000 };

export interface ConnectionLimits {
  /** A request begins; false when its connection was cut off for it. */
  begin(request: IncomingMessage, response: ServerResponse): boolean;
  /** The connection is no HTTP any more. */
  release(socket: Socket): void;
}

interface Held {
  socket: Socket;
  /** Requests under way. */
  pending: number;
}

export function limitConnections(server: Server | TlsServer, limits: HttpLimits): ConnectionLimits {
  /** By the client's address and port, which a TLS socket and the one below it share; the oldest first. */
  const held = new Map<string, Held>();
  server.requestTimeout = limits.patienceMs;
  server.headersTimeout = limits.patienceMs;
  server.keepAliveTimeout = limits.patienceMs;
  server.timeout = limits.patienceMs;
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
