/**
 * A small read-only HTTP server: exact paths, GET and HEAD. It serves metrics, health and status pages and knows nothing
 * of what stands in them.
 */
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { EntrainError } from '../../protocol/errors.ts';
import type { Logger } from '../../process/log.ts';
import { refusalOf, type HttpRefusal } from './access.ts';
import type { ServerTls } from './tls.ts';

export interface HttpRequest {
  path: string;
  query: URLSearchParams;
}

export interface HttpAnswer {
  status: number;
  type: string;
  body: string | Uint8Array;
  headers?: Record<string, string>;
}

export type HttpRoute = (request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>;

export interface HttpOptions {
  host: string;
  /** 0 picks a free one. */
  port: number;
  /** Exact path → handler. */
  routes: Readonly<Record<string, HttpRoute>>;
  /** Then https alone is spoken: who speaks http is cut off. */
  tls?: ServerTls | undefined;
  /** Then nothing but health is read without it. */
  token?: string | undefined;
  log: Logger;
}

/** What listens and upgrades, with or without TLS. */
export type AnyServer = Server | TlsServer;

export interface HttpServer {
  server: AnyServer;
  port: number;
  /** Base URL without a slash at the end. */
  url: string;
  close(): Promise<void>;
}

/** Only completes a path to a URL that can be parsed; nothing is sent there. */
const LOCAL = 'http://localhost';
/** How long a client may take to shake hands, or to say what it wants. */
const PATIENCE_MS = 10_000;
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

/** `/healthz`: answering at all shows that the event loop turns. */
export const healthz: HttpRoute = () => textAnswer(200, 'ok\n');

/** `/readyz`: 200 when every check gives undefined, else 503 and the reasons, one a line. */
export function readyz(checks: Readonly<Record<string, () => string | undefined>>): HttpRoute {
  return () => {
    const faults = Object.entries(checks).flatMap(([name, check]) => {
      const fault = check();
      return fault === undefined ? [] : [`${name}: ${fault}\n`];
    });
    return faults.length === 0 ? textAnswer(200, 'ready\n') : textAnswer(503, faults.join(''));
  };
}

/** What every program answers: its metrics, that it is alive, and whether it is ready. */
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

/** @throws EntrainError PORT_IN_USE when the address cannot be listened on */
export async function serveHttp(options: HttpOptions): Promise<HttpServer> {
  const server = createAnyServer(options.tls, (request, response) => {
    void respond(options, request, response);
  });
  server.requestTimeout = PATIENCE_MS;
  server.headersTimeout = PATIENCE_MS;
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const scheme = options.tls ? 'https' : 'http';
  return {
    server,
    port,
    url: `${scheme}://${urlHost(options.host)}:${port}`,
    close: () => closeServer(server),
  };
}

function createAnyServer(tls: ServerTls | undefined, listener: RequestListener): AnyServer {
  if (!tls) return createServer(listener);
  const { cert, key, clientCa } = tls;
  const mutual = clientCa === undefined ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: true };
  const settings = { cert, key, ...mutual, minVersion: 'TLSv1.2', handshakeTimeout: PATIENCE_MS } as const;
  return createTlsServer(settings, listener);
}

async function respond(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await answerFor(options, request);
  response.writeHead(answer.status, { ...SAFE_HEADERS, 'content-type': answer.type, ...answer.headers });
  response.end(request.method === 'HEAD' ? undefined : answer.body);
}

async function answerFor(options: HttpOptions, request: IncomingMessage): Promise<HttpAnswer> {
  const { routes, log, host, token } = options;
  const target = request.url ?? '/';
  if (!URL.canParse(target, LOCAL)) return textAnswer(400, 'The request target is not a path.\n');
  const url = new URL(target, LOCAL);
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return { ...textAnswer(405, 'Only GET is answered here.\n'), headers: { allow: 'GET, HEAD' } };
  const refusal = refusalOf(request, { path: url.pathname, host, token });
  if (refusal) return refused(refusal);
  const route = Object.hasOwn(routes, url.pathname) ? routes[url.pathname] : undefined;
  if (route === undefined) return textAnswer(404, `Nothing here. Known: ${Object.keys(routes).join(' ')}\n`);
  try {
    return await route({ path: url.pathname, query: url.searchParams });
  } catch (error) {
    log.error({ err: error, path: url.pathname }, 'an HTTP request failed');
    return textAnswer(500, 'This request failed; the log says why.\n');
  }
}

function refused({ status, why }: HttpRefusal): HttpAnswer {
  const answer = textAnswer(status, `${why}\n`);
  return status === 401
    ? { ...answer, headers: { 'www-authenticate': 'Basic realm="entrain", charset="UTF-8"' } }
    : answer;
}

/** Listens, or says in one sentence why that is not possible. */
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

/** A host as it stands in a URL that somebody on this machine can open. */
function urlHost(host: string): string {
  if (host === '0.0.0.0') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
