/**
 * Decides who may read over HTTP. Results are read from this machine, with a client certificate, or with the
 * token of `--http-token-file`; if there is a token, every reader needs it. Health is always open, and so are
 * metrics while there is no token.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { TLSSocket } from 'node:tls';
import { EntrainError } from '../../protocol/errors.ts';
import { readSecretFile } from '../../process/secret-file.ts';
import type { ServerTls } from './tls.ts';

export interface HttpRefusal {
  status: 401 | 403;
  why: string;
}

const HEALTH: readonly string[] = ['/healthz', '/readyz'];
const METRICS = '/metrics';
const LEAST_CHARS = 16;

/**
 * The token in the file; undefined if none is named.
 * @throws EntrainError `CONFIG_INVALID`
 */
export async function readHttpToken(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const token = (await readSecretFile('--http-token-file', file, 'the token alone')).trim();
  if (token.length >= LEAST_CHARS && /^[!-~]+$/.test(token)) return token;
  throw new EntrainError(
    'CONFIG_INVALID',
    `--http-token-file holds no token (${file}): expected one line of at least ${LEAST_CHARS} letters, digits or signs; make one with "openssl rand -hex 24".`,
  );
}

/** Why a request is refused; undefined if it may be answered. */
export function refusalOf(
  request: IncomingMessage,
  about: { path: string; names: readonly string[]; token: string | undefined },
): HttpRefusal | undefined {
  const { path, names, token } = about;
  if (HEALTH.includes(path)) return undefined;
  if (token !== undefined) {
    if (isSame(tokenIn(request.headers.authorization), token)) return undefined;
    return { status: 401, why: 'This needs the token of --http-token-file, as bearer or as password.' };
  }
  if (path === METRICS || hasCertificate(request)) return undefined;
  if (isFromHere(request) && namesUs(request.headers.host, names)) return undefined;
  return {
    status: 403,
    why: 'Without a token this is read on its own machine alone: start the program with --http-token-file.',
  };
}

/**
 * What follows a scheme, whose name may be in letters of either case; empty if another scheme stands (RFC 9110,
 * 11.1).
 */
export function credentialsIn(authorization: string | undefined, scheme: 'bearer' | 'basic'): string {
  const [name, value = '', ...rest] = (authorization ?? '').trim().split(/ +/);
  return name?.toLowerCase() === scheme && rest.length === 0 ? value : '';
}

/** `Bearer TOKEN`, or the password of `Basic`, which a browser asks its user for. */
function tokenIn(authorization: string | undefined): string {
  const bearer = credentialsIn(authorization, 'bearer');
  if (bearer !== '') return bearer;
  const value = credentialsIn(authorization, 'basic');
  const pair = Buffer.from(value, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

/** Compares in constant time. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/**
 * If clients must have a certificate (`--tls-client-ca`), everything but health is refused to a client without
 * one.
 */
export function certificateRefusal(
  request: IncomingMessage,
  { path, tls }: { path: string; tls: ServerTls | undefined },
): HttpRefusal | undefined {
  if (tls?.clientCa === undefined || HEALTH.includes(path) || hasCertificate(request)) return undefined;
  return { status: 403, why: 'This needs a certificate of the authority that --tls-client-ca names.' };
}

/** Whether the client has shown a certificate signed by the authority of `--tls-client-ca`. */
function hasCertificate({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && socket.authorized;
}

function isFromHere({ socket }: IncomingMessage): boolean {
  const peer = plain(socket.remoteAddress);
  return peer === '::1' || peer.startsWith('127.') || peer === plain(socket.localAddress);
}

/**
 * Whether the `Host` header names this server. Another site may point its own name to this machine, but cannot
 * make the browser send a different one (DNS rebinding).
 */
function namesUs(header = '', names: readonly string[]): boolean {
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  return name === 'localhost' || isIP(name) !== 0 || names.some((own) => own.toLowerCase() === name);
}

const plain = (address = ''): string => address.replace(/^::ffff:/, '');
