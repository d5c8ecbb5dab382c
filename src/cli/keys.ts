/**
 * `entrain keys DIR` makes the Ed25519 key pair with which the coordinator signs stream tokens and the analyzer
 * checks them. `entrain keys token DIR` makes a token by hand, for a sender that no coordinator knows.
 */
import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { systemClock } from '../process/clock.ts';
import { nameFlag, wholeNumber } from '../process/flags.ts';
import { makeFolder } from '../process/make-folder.ts';
import { readSecretFile } from '../process/secret-file.ts';
import { usageText } from '../process/usage.ts';
import { writeAtomic } from '../process/write-atomic.ts';
import { EntrainError } from '../protocol/errors.ts';
import { createKeys, mintToken } from '../transport/stream/auth/access-token.ts';
import { requireKey } from '../transport/stream/auth/signed-claims.ts';

export interface KeyFiles {
  privateKey: string;
  publicKey: string;
}

const PRIVATE_KEY = 'stream-private.pem';
const MINUTE_MS = 60_000;

const FLAGS = {
  run: { type: 'string', value: 'NAME', about: 'of a token: the run it is good for' },
  stream: { type: 'string', value: 'NAME', about: 'of a token: the stream it may write' },
  minutes: { type: 'string', default: '15', value: 'N', about: 'of a token: how long it is good' },
} as const;

export const usage = (): string =>
  usageText(
    {
      call: 'entrain keys DIR\nentrain keys token DIR --run NAME --stream NAME',
      about:
        'Makes the pair of keys of the activation stream in DIR; "token" prints a token by them, for a sender that no coordinator knows.',
    },
    FLAGS,
  );

export async function run(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({ args: argv, options: FLAGS, allowPositionals: true });
  const [first, second, ...rest] = positionals;
  const wantsToken = first === 'token';
  const [folder, tooMuch] = wantsToken ? [second, rest[0]] : [first, second];
  if (!folder || tooMuch !== undefined)
    throw new EntrainError(
      'USAGE',
      'The folder is missing or unclear: expected "entrain keys DIR", or "entrain keys token DIR --run NAME --stream NAME".',
    );
  console.log(wantsToken ? await token(folder, values) : await pair(folder));
  return 0;
}

async function pair(folder: string): Promise<string> {
  const files = await writeKeys(folder);
  return `private key (coordinator only): ${files.privateKey}\npublic key (analyzers):         ${files.publicKey}`;
}

async function token(
  folder: string,
  flags: { run?: string; stream?: string; minutes: string },
): Promise<string> {
  const stream = nameFlag('--stream', flags.stream);
  const expiresAtMs = systemClock.nowMs() + wholeNumber('--minutes', flags.minutes) * MINUTE_MS;
  const claims = {
    run: nameFlag('--run', flags.run),
    agent: stream,
    stream,
    mode: 'write',
    expiresAtMs,
  } as const;
  const file = join(folder, PRIVATE_KEY);
  const pem = await readSecretFile('DIR', file, 'the private key that "entrain keys DIR" wrote');
  return mintToken(requireKey(pem, { half: 'private', setting: file }), claims);
}

/** Writes a key pair. Refuses to overwrite one, since agents may still hold tokens of the old pair. */
export async function writeKeys(folder: string): Promise<KeyFiles> {
  const files = {
    privateKey: join(folder, PRIVATE_KEY),
    publicKey: join(folder, 'stream-public.pem'),
  };
  const keys = createKeys();
  const refused = (cause?: unknown): EntrainError =>
    new EntrainError(
      'CONFIG_INVALID',
      `Keys could not be written to ${folder}: expected a folder without keys that can be written to.`,
      { cause },
    );
  for (const file of Object.values(files)) if (await isThere(file)) throw refused();
  await makeFolder(folder, 0o700);
  try {
    await writeAtomic(files.publicKey, keys.publicKeyPem, 0o644);
    await writeAtomic(files.privateKey, keys.privateKeyPem);
  } catch (cause) {
    throw refused(cause);
  }
  return files;
}

const isThere = (file: string): Promise<boolean> =>
  access(file).then(
    () => true,
    () => false,
  );
