/**
 * Claims as JSON with an Ed25519 signature, `claims.signature` in base64url: what access tokens and role grants are
 * made of.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { EntrainError } from '../../protocol/errors.ts';

const MAX_CHARS = 2048;

export function signClaims(privateKeyPem: string, claims: object): string {
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const signature = sign(null, Buffer.from(body), createPrivateKey(privateKeyPem));
  return `${body}.${signature.toString('base64url')}`;
}

/**
 * The claims, of whatever kind, where the signature holds.
 * @throws EntrainError `TOKEN_INVALID`; the message never holds the text
 */
export function openSigned(publicKeyPem: string, text: string, what: string): unknown {
  const [body, signature, ...rest] = text.length <= MAX_CHARS ? text.split('.') : [];
  if (!body || !signature || rest.length > 0) throw invalidClaims(what, 'is missing or malformed');
  const authentic = verify(
    null,
    Buffer.from(body),
    createPublicKey(publicKeyPem),
    Buffer.from(signature, 'base64url'),
  );
  if (!authentic) throw invalidClaims(what, 'was not signed by the coordinator of this run');
  return JSON.parse(Buffer.from(body, 'base64url').toString()) as unknown;
}

export function invalidClaims(what: string, fault: string): EntrainError {
  return new EntrainError(
    'TOKEN_INVALID',
    `The ${what} ${fault}; expected one that the coordinator made for this stream. Ask the coordinator for a new one.`,
  );
}
