/**
 * Access tokens of the activation stream: claims as JSON, signed by the coordinator with Ed25519, `claims.signature` in
 * base64url. Short-lived and bound to one run, agent and stream; the analyzer holds the public key alone.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { EntrainError } from '../../protocol/errors.ts';
import { NAME_PATTERN } from '../../protocol/subjects.ts';

/** `write`: send frames of this stream. `read`: watch the live feed of the run. */
export type TokenMode = 'write' | 'read';

export interface TokenClaims {
  run: string;
  agent: string;
  stream: string;
  mode: TokenMode;
  /** Milliseconds since 1970. */
  expiresAtMs: number;
}

export interface TokenKeys {
  privateKeyPem: string;
  publicKeyPem: string;
}

/** How long a token lives unless told otherwise. */
export const TOKEN_LIFE_MS = 15 * 60_000;
const MAX_TOKEN_CHARS = 2048;

export function createKeys(): TokenKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

export function mintToken(privateKeyPem: string, claims: TokenClaims): string {
  const { run, agent, stream, mode, expiresAtMs } = claims;
  const body = Buffer.from(JSON.stringify({ run, agent, stream, mode, expiresAtMs })).toString('base64url');
  const signature = sign(null, Buffer.from(body), createPrivateKey(privateKeyPem));
  return `${body}.${signature.toString('base64url')}`;
}

/** @throws EntrainError TOKEN_INVALID; the message never holds the token */
export function verifyToken(publicKeyPem: string, token: string, options: { nowMs: number }): TokenClaims {
  const [body, signature, ...rest] = token.length <= MAX_TOKEN_CHARS ? token.split('.') : [];
  if (!body || !signature || rest.length > 0) throw invalid('is missing or malformed');
  const authentic = verify(
    null,
    Buffer.from(body),
    createPublicKey(publicKeyPem),
    Buffer.from(signature, 'base64url'),
  );
  if (!authentic) throw invalid('was not signed by the coordinator of this run');
  const claims = readClaims(body);
  if (claims.expiresAtMs <= options.nowMs) throw expired(options.nowMs - claims.expiresAtMs);
  return claims;
}

function readClaims(body: string): TokenClaims {
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString()) as TokenClaims;
  const named = [claims.run, claims.agent, claims.stream].every(
    (name) => typeof name === 'string' && NAME_PATTERN.test(name),
  );
  const knownMode = claims.mode === 'write' || claims.mode === 'read';
  if (!named || !knownMode || !Number.isFinite(claims.expiresAtMs)) throw invalid('lacks a claim');
  return claims;
}

/** A token is minted for minutes, so one that is over tells of a clock as often as of a sender that was away. */
function expired(byMs: number): EntrainError {
  return invalid(
    `has expired ${Math.ceil(byMs / 1000)} s ago by the clock of the analyzer's machine (where a new one is refused too, set the clocks of coordinator and analyzer to the same time)`,
  );
}

function invalid(what: string): EntrainError {
  return new EntrainError(
    'TOKEN_INVALID',
    `The access token ${what}; expected one that the coordinator minted for this stream. Ask the coordinator for a new one.`,
  );
}
