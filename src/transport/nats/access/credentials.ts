/**
 * Credentials of a NATS user: a token that the server checks, and the seed by which the user proves that it is the one
 * meant. They stand in one file, in the form of NATS' own tools, of mode 0600.
 */
import { EntrainError } from '../../../protocol/errors.ts';
import { readSecretFile } from '../../../process/secret-file.ts';
import { writeAtomic } from '../../../process/write-atomic.ts';
import { readUserJwt, type UserClaims } from './jwt.ts';

export interface Credentials {
  readonly name: string;
  readonly seed: string;
  /** The token as it is now: each connection takes the latest. */
  jwt(): string;
  claims(): UserClaims;
  /** Keeps a token of the same user that holds for longer. */
  replace(jwt: string): Promise<void>;
}

const FILE =
  /-+BEGIN NATS USER JWT-+\s+(?<jwt>[\w.-]+)\s+-+END NATS USER JWT-+[\s\S]*-+BEGIN USER NKEY SEED-+\s+(?<seed>S\w+)\s+-+END USER NKEY SEED-+/;

export const credentialsText = (jwt: string, seed: string): string =>
  `-----BEGIN NATS USER JWT-----\n${jwt}\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n${seed}\n------END USER NKEY SEED------\n`;

/** @throws EntrainError `CONFIG_INVALID` */
export async function readCredentials(setting: string, file: string): Promise<Credentials> {
  const text = await readSecretFile(setting, file, 'the credentials of a NATS user');
  const { jwt, seed } = FILE.exec(text)?.groups ?? {};
  if (jwt === undefined || seed === undefined || !readUserJwt(jwt))
    throw new EntrainError(
      'CONFIG_INVALID',
      `${setting} holds no credentials (${file}): expected a file as "entrain join" or NATS' own tools write it.`,
    );
  return credentialsOf(jwt, seed, (next) => writeAtomic(file, credentialsText(next, seed)));
}

/** @throws EntrainError `CONFIG_INVALID` if the text is no token of a user */
export function credentialsOf(
  jwt: string,
  seed: string,
  keep: (jwt: string) => Promise<void> = () => Promise.resolve(),
): Credentials {
  let current = { jwt, claims: claimsOf(jwt) };
  return {
    name: current.claims.name,
    seed,
    jwt: () => current.jwt,
    claims: () => current.claims,
    replace: async (next) => {
      const claims = claimsOf(next);
      if (claims.user !== current.claims.user)
        throw new EntrainError(
          'CONFIG_INVALID',
          'The new token is of another user: expected one of the same.',
        );
      current = { jwt: next, claims };
      await keep(next);
    },
  };
}

function claimsOf(jwt: string): UserClaims {
  const claims = readUserJwt(jwt);
  if (claims) return claims;
  throw new EntrainError('CONFIG_INVALID', 'This is no token of a NATS user: expected one in its own form.');
}
