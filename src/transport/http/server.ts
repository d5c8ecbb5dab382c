/** A small read-only HTTP server: exact paths, GET and HEAD. Other modules make what it serves. */
import { EventEmitter } from 'node:events';
import {
  createServer,
  ServerResponse,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http';
import { createServer as createTlsServer, Server as TlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { EntrainError } from '../../protocol/errors.ts';
import type { Logger } from '../../process/log.ts';
import { certificateRefusal, refusalOf, type HttpRefusal } from './access.ts';
import { namesOf, placeOf } from './server-names.ts';
import { openEventStream, type EventStream } from './server-sent-events.ts';
import {
  HTTP_LIMITS,
  limitConnections,
  type ConnectionLimits,
  type HttpLimits,
} from './connection-limits.ts';
import type { Identity, ServerTls } from './tls.ts';

export interface HttpRequest {
  path: string;
  query: URLSearchParams;
  /** The client's `accept` and `accept-encoding`, in lower case. */
  accept: string;
  encodings: string;
}

export interface HttpAnswer {
  status: number;
  type: string;
  body: string | Uint8Array;
  headers?: Record<string, string>;
  /** Then the answer goes on behind `body`, for as long as the client stays. */
  goesOn?: (open: EventStream) => void;
}

export type HttpRoute = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

export interface HttpOptions {
  host: string;
  /** 0 lets the system choose a free port. */
  port: number;
  /** `NAME` or `NAME:PORT` by which others reach the server, if that is not `host` and its port. */
  advertise?: string | undefined;
  /** Exact path → handler. */
  routes: Readonly<Record<string, HttpRoute>>;
  /** The only path on which a connection may become a WebSocket; elsewhere such a request is a plain one. */
  upgradePath?: string;
  /** Receives upgrade requests, if it exists before the server. Left out, the server makes its own. */
  upgrades?: EventEmitter;
  /** If given, the server speaks only https. */
  tls?: ServerTls | undefined;
  /** If given, everything but health needs this token. */
  token?: string | undefined;
  limits?: Partial<HttpLimits>;
  log: Logger;
}

/** Emits `upgrade` with request, socket and first bytes, as `http.Server` does. */
export type UpgradeSource = Pick<EventEmitter, 'on' | 'off' | 'listenerCount'>;

/** An HTTP server with or without TLS. */
export type AnyServer = Server | TlsServer;

export interface HttpServer {
  /** Emits WebSocket requests on `upgradePath` from clients that are let in. */
  upgrades: UpgradeSource;
  port: number;
  /** Base URL as others reach it, without a slash at the end. */
  url: string;
  /** Connections that come from now on see this certificate. */
  renew(identity: Identity): void;
  close(): Promise<void>;
}

/** Base that makes a path a URL which can be parsed; nothing is sent there. */
const LOCAL = 'http://localhost';
/** Interval at which slow clients are looked for, in milliseconds. */
const LOOK_MS = 1000;
/** Addresses that one can listen on but not connect to. */
const WILDCARDS: readonly string[] = ['0.0.0.0', '::'];
const ONLY_HERE =
  'announced as an address of this machine alone, since --host names none: give --advertise the name under which others reach it';
const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';
const SAFE_HEADERS = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
};

export const textAnswer = (status: number, body: string): HttpAnswer => ({ status, type: TEXT, body });
export const jsonAnswer = (value: unknown, status = 200): HttpAnswer => ({
  status,
  type: JSON_TYPE,
  body: JSON.stringify(value),
});

/** `/healthz`: any answer shows that the event loop runs. */
export const healthz: HttpRoute = () => textAnswer(200, 'ok\n');

/** `/readyz`: 200 if every check gives undefined, else 503 with one reason a line. */
export function readyz(checks: Readonly<Record<string, () => string | undefined>>): HttpRoute {
  return () => {
    const faults = Object.entries(checks).flatMap(([name, check]) => {
      const fault = check();
      return fault === undefined ? [] : [`${name}: ${fault}\n`];
    });
    return faults.length === 0 ? textAnswer(200, 'ready\n') : textAnswer(503, faults.join(''));
  };
}

/** The routes that every program serves: metrics, `/healthz` and `/readyz`. */
export function programRoutes(of: {
  metrics(): Promise<string>;
  checks: Parameters<typeof readyz>[0];
}): Record<'/metrics' | '/healthz' | '/readyz', HttpRoute> {
  const type = 'text/plain; version=0.0.4; charset=utf-8';
  return {
    '/metrics': async () => ({ status: 200, type, body: await of.metrics() }),
    '/healthz': healthz,
    '/readyz': readyz(of.checks),
  };
}

/**
 * Starts the server.
 * @throws EntrainError `PORT_IN_USE` if the address cannot be listened on
 */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const limits = { ...HTTP_LIMITS, ...options.limits };
  const serving: Serving = {
    options,
    limits,
    upgrades: options.upgrades ?? new EventEmitter(),
    bounds: undefined,
  };
  const server = createAnyServer(options.tls, limits, (request, response) => {
    void respond(serving, request, response);
  });
  serving.bounds = limitConnections(server, limits);
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) =>
    upgrade(serving, request, { socket, head }),
  );
  await listen(server, options);
  if (WILDCARDS.includes(options.host) && options.advertise === undefined) options.log.warn(ONLY_HERE);
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls ? 'https' : 'http';
  return {
    upgrades: serving.upgrades,
    port,
    url: `${scheme}://${placeOf(options, port)}`,
    renew: (identity) => {
      if (server instanceof TlsServer) server.setSecureContext(contextOf({ ...options.tls, ...identity }));
    },
    close: () => closeServer(server),
  };
}

/** What the handlers of a server share. */
interface Serving {
  options: HttpOptions;
  limits: HttpLimits;
  upgrades: EventEmitter;
  bounds: ConnectionLimits | undefined;
}

/**
 * Where client certificates are asked for, the handshake also accepts a client without one, since health is
 * read without a certificate. Any other request of such a client is refused.
 */
function createAnyServer(
  tls: ServerTls | undefined,
  { idleMs }: HttpLimits,
  listener: RequestListener,
): AnyServer {
  if (!tls) return createServer({ connectionsCheckingInterval: LOOK_MS }, listener);
  const asks = tls.clientCa === undefined ? {} : { requestCert: true, rejectUnauthorized: false };
  const settings = { ...contextOf(tls), ...asks, handshakeTimeout: idleMs };
  return createTlsServer({ ...settings, connectionsCheckingInterval: LOOK_MS }, listener);
}

const contextOf = ({ cert, key, clientCa }: ServerTls) =>
  ({ cert, key, ...(clientCa === undefined ? {} : { ca: clientCa }), minVersion: 'TLSv1.2' }) as const;

/** Makes a WebSocket of a request on the upgrade path; an offer of another protocol gets a plain answer. */
function upgrade(
  serving: Serving,
  request: IncomingMessage,
  { socket, head }: { socket: Socket; head: Buffer },
): void {
  const { options, upgrades, bounds } = serving;
  const { tls, upgradePath } = options;
  const path = (request.url ?? '/').split('?')[0] ?? '';
  const allowed = certificateRefusal(request, { path, tls }) === undefined;
  if (path === upgradePath && allowed && upgrades.listenerCount('upgrade') > 0) {
    bounds?.release(socket);
    socket.setTimeout(0);
    upgrades.emit('upgrade', request, socket, head);
    return;
  }
  socket.on('error', () => undefined);
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.once('finish', () => socket.destroySoon());
  void respond(serving, request, response);
}

async function respond(
  { options, limits, bounds }: Serving,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (bounds?.begin(request, response) === false) return;
  // Only the client has a time limit, not the handler that makes the answer.
  request.socket.setTimeout(0);
  const answer = await answerFor(options, request);
  if (answer.goesOn && request.method !== 'HEAD') return goOn(answer, response);
  request.socket.setTimeout(limits.idleMs);
  const headers = {
    'content-type': answer.type,
    'content-length': Buffer.byteLength(answer.body),
    ...answer.headers,
  };
  response.writeHead(answer.status, { ...SAFE_HEADERS, ...headers });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

/** An answer without an end: the client may be silent, and is dropped when it stops to read. */
function goOn({ status, type, body, headers, goesOn }: HttpAnswer, response: ServerResponse): void {
  response.writeHead(status, { ...SAFE_HEADERS, 'content-type': type, ...headers });
  response.write(body);
  goesOn?.(openEventStream(response));
}

async function answerFor(options: HttpOptions, request: IncomingMessage): Promise<HttpAnswer> {
  const { routes, log, token, tls } = options;
  const target = request.url ?? '/';
  if (!URL.canParse(target, LOCAL)) return textAnswer(400, 'The request target is not a path.\n');
  const url = new URL(target, LOCAL);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { ...textAnswer(405, 'Only GET is answered here.\n'), headers: { allow: 'GET, HEAD' } };
  const path = url.pathname;
  const refusal =
    certificateRefusal(request, { path, tls }) ??
    refusalOf(request, { path, names: namesOf(options), token });
  if (refusal) return refused(refusal);
  const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
  if (route === undefined) return textAnswer(404, `Nothing here. Known: ${Object.keys(routes).join(' ')}\n`);
  try {
    const [accept = '', encodings = ''] = [request.headers.accept, request.headers['accept-encoding']];
    const asked = { accept: accept.toLowerCase(), encodings: encodings.toLowerCase() };
    return await route({ path, query: url.searchParams, ...asked });
  } catch (error) {
    log.error({ err: error, path }, 'an HTTP request failed');
    return textAnswer(500, 'This request failed; the log says why.\n');
  }
}

function refused({ status, why }: HttpRefusal): HttpAnswer {
  const answer = textAnswer(status, `${why}\n`);
  return status === 401
    ? { ...answer, headers: { 'www-authenticate': 'Basic realm="entrain", charset="UTF-8"' } }
    : answer;
}

/** @throws EntrainError `PORT_IN_USE`, with the reason in one sentence */
async function listen(server: AnyServer, { host, port }: { host: string; port: number }): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (cause: NodeJS.ErrnoException): void => reject(listenError(cause, host, port));
    server.once('error', fail);
    server.listen({ host, port }, () => {
      server.off('error', fail);
      resolve();
    });
  });
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): EntrainError {
  const taken = cause.code === 'EADDRINUSE';
  const text = taken
    ? `Port ${port} on ${host} is already in use: stop the program that holds it or choose another with --port (0 picks a free one).`
    : `${host}:${port} cannot be listened on (${cause.code}): expected an address of this machine for --host and a port that this user may open for --port.`;
  return new EntrainError('PORT_IN_USE', text, { cause });
}

async function closeServer(server: AnyServer): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
