/**
 * The token by which a machine joins: where the NATS server is, whose certificates to believe, and a NATS user that may
 * ask to be let in and nothing else.
 */
import { EntrainError } from '../../../protocol/errors.ts';
import { readUserJwt } from './jwt.ts';

export interface JoinToken {
  url: string;
  /** SHA-256 of the authority's public key (SPKI), base64url. */
  authority: string;
  seed: string;
  jwt: string;
}

const PREFIX = 'entrain1';
/** Users of tokens are called so, and then the token's id. */
export const JOINER = 'join-';

export const tokenText = ({ url, authority, seed, jwt }: JoinToken): string =>
  [PREFIX, Buffer.from(url).toString('base64url'), authority, seed, jwt].join('.');

/** @throws EntrainError `TOKEN_INVALID` */
export function readJoinToken(text: string, nowMs: number): JoinToken & { id: string } {
  const [prefix, url = '', authority = '', seed = '', ...jwt] = text.trim().split('.');
  const claims = readUserJwt(jwt.join('.'));
  if (prefix !== PREFIX || jwt.length !== 3 || !claims?.name.startsWith(JOINER))
    throw new EntrainError(
      'TOKEN_INVALID',
      'This is no token of "entrain token", or not the whole of one: expected one long word that begins with "entrain1."; copy all of it.',
    );
  const { name, expiresAtS = Infinity } = claims;
  if (expiresAtS * 1000 < nowMs)
    throw new EntrainError(
      'TOKEN_INVALID',
      `The time of this token was over at ${new Date(expiresAtS * 1000).toISOString()}: ask for a new one ("entrain token"), or set the clock of this machine if it is before that.`,
    );
  const address = Buffer.from(url, 'base64url').toString();
  return { url: address, authority, seed, jwt: jwt.join('.'), id: name.slice(JOINER.length) };
}
