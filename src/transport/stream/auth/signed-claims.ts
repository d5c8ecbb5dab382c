/**
 * JSON claims with an Ed25519 signature, written as `claims.signature` in base64url. Access tokens and role
 * grants have this form.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { EntrainError } from '../../../protocol/errors.ts';

const MAX_CHARS = 2048;

export function signClaims(privateKeyPem: string, claims: object): string {
  const body = Buffer.from(JSON.stringify(claims)).toString('base64url');
  const signature = sign(null, Buffer.from(body), createPrivateKey(privateKeyPem));
  return `${body}.${signature.toString('base64url')}`;
}

/**
 * The claims, if the signature is valid. `what` names their kind in the error.
 * @throws EntrainError `TOKEN_INVALID`; its message never contains the text
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

/**
 * Checks a key when it is read, since a wrong one would otherwise be noticed when the first token comes.
 * @param of which half of the pair it should be, and the setting that named it
 * @throws EntrainError `CONFIG_INVALID`; its message never contains the key
 */
export function requireKey(pem: string, of: { half: 'public' | 'private'; setting: string }): string {
  const isHalf = pem.includes(`-----BEGIN ${of.half.toUpperCase()} KEY-----`);
  try {
    const key = of.half === 'public' ? createPublicKey(pem) : createPrivateKey(pem);
    if (isHalf && key.asymmetricKeyType === 'ed25519') return pem;
  } catch {
    // said below, for whatever else it is
  }
  throw new EntrainError(
    'CONFIG_INVALID',
    `${of.setting} holds no ${of.half} key of Ed25519 in PEM: expected the file stream-${of.half}.pem that "entrain keys DIR" writes.`,
  );
}

export function invalidClaims(what: string, fault: string): EntrainError {
  return new EntrainError(
    'TOKEN_INVALID',
    `The ${what} ${fault}; expected one that the coordinator made for this stream. Ask the coordinator for a new one.`,
  );
}
