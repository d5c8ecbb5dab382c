/**
 * The keys by which the NATS server of a service knows its users: an operator, its two accounts, and the account of the
 * server itself. Made once; what signs is private to this folder, and the coordinator gets the signing keys alone.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseMessage } from '../../protocol/nats-messages.ts';
import {
  earlierOperatorKeysSchema,
  operatorKeysSchema,
  type OperatorKeys,
} from '../../protocol/join-messages.ts';
import { readSecretFile } from '../../process/secret-file.ts';
import { writeAtomic } from '../../process/write-atomic.ts';
import { credentialsText, readCredentials } from '../../transport/nats/access/credentials.ts';
import { accountTokens, userToken } from '../../transport/nats/access/account-tokens.ts';
import {
  accountJwt,
  makeKey,
  operatorJwt,
  publicOf,
  revocationsIn,
  userJwt,
} from '../../transport/nats/access/jwt.ts';
import { ANY_RUN } from '../../transport/nats/permissions.ts';

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
    const about = { code: 'CONFIG_INVALID', what: file } as const;
    const kept = parseMessage(earlierOperatorKeysSchema, text, about);
    const whole = JSON.stringify({ ...agentsKeys(), ...kept });
    await writeAtomic(file, whole);
    return parseMessage(operatorKeysSchema, whole, about);
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
    ...agentsKeys(),
    system: system.public,
    systemSeed: system.seed,
  };
  await writeAtomic(file, JSON.stringify(keys));
  return keys;
}

const agentsKeys = (): Pick<OperatorKeys, 'agentsAccount' | 'agentsSigning'> => ({
  agentsAccount: makeKey('account').public,
  agentsSigning: makeKey('account').seed,
});

/**
 * All accounts of the server, written anew at each start so that they are those of this version. Who was revoked stands
 * in the accounts that the server kept, and stays revoked.
 *
 * @param folder where the server keeps accounts
 */
export async function accountsOf(keys: OperatorKeys, folder: string): Promise<Record<string, string>> {
  const { operatorSigning: by, system } = keys;
  const revoked: Record<string, number> = {};
  for (const account of [keys.account, keys.agentsAccount]) {
    const kept = await readFile(join(folder, `${account}.jwt`), 'utf8').catch(missing);
    for (const [key, atS] of Object.entries(revocationsIn(kept)))
      revoked[key] = Math.max(atS, revoked[key] ?? 0);
  }
  return {
    ...accountTokens(by, keys, revoked),
    [system]: accountJwt(by, { account: system, name: 'system', signingKeys: [], jetstream: false }),
  };
}

function missing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}

/** Writes what a user of this machine connects with; it has no end, as long as the folder is private. */
export async function writeUser(folder: string, keys: OperatorKeys, name: string): Promise<string> {
  const file = join(folder, `${name}.creds`);
  // Somebody may have been given this file: the key stays, what it may do is written anew.
  const kept = await readCredentials(name, file).catch(() => undefined);
  const seed = kept?.seed ?? makeKey('user').seed;
  const jwt = userToken(keys, { name, user: publicOf(seed), runs: [ANY_RUN] });
  await writeAtomic(file, credentialsText(jwt, seed));
  return file;
}

/** A user who may give the server an account, and hears nothing but the answer. */
export function systemUser({ system, systemSeed }: OperatorKeys): { jwt: string; seed: string } {
  const name = 'accounts';
  const permissions = { publish: ['$SYS.REQ.CLAIMS.UPDATE'], subscribe: [`_INBOX_${name}.>`] };
  const { public: user, seed } = makeKey('user');
  return { jwt: userJwt(systemSeed, { account: system, name, permissions, user }), seed };
}
