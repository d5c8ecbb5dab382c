/**
 * The keys by which the NATS server of a service knows its users: an operator, its account, and the account of the
 * server itself. Made once; what signs is private to this folder, and the coordinator gets the signing keys alone.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseMessage } from '../../protocol/nats-messages.ts';
import { operatorKeysSchema, type OperatorKeys } from '../../protocol/join-messages.ts';
import { readSecretFile } from '../../process/secret-file.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { credentialsText, readCredentials } from '../../transport/nats/access/credentials.ts';
import {
  accountJwt,
  makeKey,
  operatorJwt,
  publicOf,
  userJwt,
  type Permissions,
} from '../../transport/nats/access/jwt.ts';
import { ANY_RUN, permissionsOf } from '../../transport/nats/permissions.ts';

const FILE = 'operator.json';

/** Reads the keys, or makes them where there are none. */
export async function keepOperatorKeys(folder: string): Promise<OperatorKeys> {
  const file = join(folder, FILE);
  const isThere = await readFile(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
  if (isThere) {
    const text = await readSecretFile('the keys of the service', file, 'the keys of a NATS operator');
    return parseMessage(operatorKeysSchema, text, { code: 'CONFIG_INVALID', what: file });
  }
  const [operator, operatorSigning] = [makeKey('operator'), makeKey('operator')];
  const [account, accountSigning, system] = [makeKey('account'), makeKey('account'), makeKey('account')];
  const signingKeys = [operatorSigning.public];
  const keys: OperatorKeys = {
    operatorSeed: operator.seed,
    operator: operatorJwt(operator.seed, { signingKeys, systemAccount: system.public }),
    operatorSigning: operatorSigning.seed,
    account: account.public,
    accountSigning: accountSigning.seed,
    system: system.public,
    systemSeed: system.seed,
  };
  await writeAtomic(file, JSON.stringify(keys));
  return keys;
}

/** Both accounts as they are before anybody was revoked. */
export function firstAccounts(keys: OperatorKeys): Record<string, string> {
  const { operatorSigning: by, account, accountSigning, system } = keys;
  const signingKeys = [publicOf(accountSigning)];
  return {
    [account]: accountJwt(by, { account, name: 'entrain', signingKeys, jetstream: true }),
    [system]: accountJwt(by, { account: system, name: 'system', signingKeys: [], jetstream: false }),
  };
}

/** Writes what a user of this machine connects with; it has no end, as long as the folder is private. */
export async function writeUser(folder: string, keys: OperatorKeys, name: string): Promise<string> {
  const file = join(folder, `${name}.creds`);
  const { account, accountSigning } = keys;
  // Somebody may have been given this file: the key stays, what it may do is written anew.
  const kept = await readCredentials(name, file).catch(() => undefined);
  const permissions = permissionsOf(name, [ANY_RUN]);
  const { jwt, seed } = signedUser(accountSigning, { account, name, permissions }, kept?.seed);
  await writeAtomic(file, credentialsText(jwt, seed));
  return file;
}

/** A user who may give the server an account, and hears nothing but the answer. */
export function systemUser({ system, systemSeed }: OperatorKeys): { jwt: string; seed: string } {
  const name = 'accounts';
  const permissions = { publish: ['$SYS.REQ.CLAIMS.UPDATE'], subscribe: [`_INBOX_${name}.>`] };
  return signedUser(systemSeed, { account: system, name, permissions });
}

function signedUser(
  by: string,
  of: { account: string; name: string; permissions: Permissions },
  seed = makeKey('user').seed,
): { jwt: string; seed: string } {
  const user = publicOf(seed);
  return { jwt: userJwt(by, { ...of, user }), seed };
}
