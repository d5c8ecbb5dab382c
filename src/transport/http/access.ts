/**
 * Who may read over HTTP. Results are read on this machine, by who has shown a certificate, or with the token of `--http-token-file`;
 * where there is a token, everybody needs it. Health is open to all, and metrics are while there is no token.
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

/** @throws EntrainError `CONFIG_INVALID` */
export async function readHttpToken(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  const token = (await readSecretFile('--http-token-file', file, 'the token alone')).trim();
  if (token.length >= LEAST_CHARS && /^[!-~]+$/.test(token)) return token;
  throw new EntrainError(
    'CONFIG_INVALID',
    `--http-token-file holds no token (${file}): expected one line of at least ${LEAST_CHARS} letters, digits or signs; make one with "openssl rand -hex 24".`,
  );
}

/** Why this request is not answered, if so. */
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

/** `Bearer TOKEN`, or the password of `Basic`, which a browser asks its user for. */
function tokenIn(authorization = ''): string {
  const [scheme, value = ''] = authorization.trim().split(/ +/);
  if (scheme?.toLowerCase() === 'bearer') return value;
  if (scheme?.toLowerCase() !== 'basic') return '';
  const pair = Buffer.from(value, 'base64').toString();
  return pair.slice(pair.indexOf(':') + 1);
}

/** In the same time whatever differs. */
function isSame(given: string, wanted: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(wanted));
}

/**
 * Where a client has to show a certificate (`--tls-client-ca`), everything but health is kept from one that showed
 * none.
 */
export function certificateRefusal(
  request: IncomingMessage,
  { path, tls }: { path: string; tls: ServerTls | undefined },
): HttpRefusal | undefined {
  if (tls?.clientCa === undefined || HEALTH.includes(path) || hasCertificate(request)) return undefined;
  return { status: 403, why: 'This needs a certificate of the authority that --tls-client-ca names.' };
}

/** One that the authority of `--tls-client-ca` has signed. */
function hasCertificate({ socket }: IncomingMessage): boolean {
  return socket instanceof TLSSocket && socket.authorized;
}

function isFromHere({ socket }: IncomingMessage): boolean {
  const peer = plain(socket.remoteAddress);
  return peer === '::1' || peer.startsWith('127.') || peer === plain(socket.localAddress);
}

/** A page of elsewhere may have its own name point to this machine; it cannot make the browser say another one. */
function namesUs(header = '', names: readonly string[]): boolean {
  const name = header
    .replace(/:\d+$/, '')
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  return name === 'localhost' || isIP(name) !== 0 || names.some((own) => own.toLowerCase() === name);
}

const plain = (address = ''): string => address.replace(/^::ffff:/, '');
