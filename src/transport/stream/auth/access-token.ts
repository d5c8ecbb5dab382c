/**
 * Access tokens of the activation stream: claims that the coordinator signed, short-lived and bound to one run,
 * agent and stream. The analyzer has only the public key.
 */
import { generateKeyPairSync } from 'node:crypto';
import { NAME_PATTERN } from '../../../protocol/subjects.ts';
import { invalidClaims, openSigned, signClaims } from './signed-claims.ts';

/** `write`: send frames of this stream. `read`: watch the live feed of the run. */
export type TokenMode = 'write' | 'read';

export interface TokenClaims {
  run: string;
  agent: string;
  stream: string;
  mode: TokenMode;
  /** Milliseconds since 1970. */
  expiresAtMs: number;
  /** Whether a coordinator gives the roles of the run; frames then count only with its grant. */
  granted?: boolean;
}

export interface TokenKeys {
  privateKeyPem: string;
  publicKeyPem: string;
}

/** Default lifetime of a token. */
export const TOKEN_LIFE_MS = 15 * 60_000;

export function createKeys(): TokenKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicKeyPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

export function mintToken(privateKeyPem: string, claims: TokenClaims): string {
  const { run, agent, stream, mode, expiresAtMs, granted } = claims;
  return signClaims(privateKeyPem, { run, agent, stream, mode, expiresAtMs, granted });
}

/**
 * The claims of a valid token that has not expired.
 * @throws EntrainError `TOKEN_INVALID`; its message never contains the token
 */
export function verifyToken(publicKeyPem: string, token: string, options: { nowMs: number }): TokenClaims {
  const claims = readClaims(openSigned(publicKeyPem, token, WHAT));
  const lateMs = options.nowMs - claims.expiresAtMs;
  // A token lives for minutes, so an expired one points to a wrong clock as often as to a sender that was away.
  if (lateMs >= 0)
    throw invalidClaims(
      WHAT,
      `has expired ${Math.ceil(lateMs / 1000)} s ago by the clock of the analyzer's machine (where a new one is refused too, set the clocks of coordinator and analyzer to the same time)`,
    );
  return claims;
}

const WHAT = 'access token';

function readClaims(value: unknown): TokenClaims {
  const claims = value as TokenClaims;
  const named = [claims.run, claims.agent, claims.stream].every(
    (name) => typeof name === 'string' && NAME_PATTERN.test(name),
  );
  const knownMode = claims.mode === 'write' || claims.mode === 'read';
  if (!named || !knownMode || !Number.isFinite(claims.expiresAtMs))
    throw invalidClaims(WHAT, 'lacks a claim');
  return claims;
}
