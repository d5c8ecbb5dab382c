/** `entrain keys DIR`: the Ed25519 pair that the coordinator signs stream tokens with and the analyzer checks them by. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../protocol/errors.ts';
import { createKeys } from '../transport/token.ts';

export interface KeyFiles {
  privateKey: string;
  publicKey: string;
}

export const usage = (): string => `entrain keys DIR
  Makes the pair of keys for the activation stream in DIR: the coordinator signs tokens with one, the analyzer checks them with the other.`;

export async function run(argv: string[]): Promise<number> {
  const [folder, ...rest] = argv;
  if (!folder || folder.startsWith('-') || rest.length > 0)
    throw new EntrainError(
      'USAGE',
      'The folder is missing or unclear: expected "entrain keys DIR", one folder to put the two files into.',
    );
  const files = await writeKeys(folder);
  console.log(
    `private key (coordinator only): ${files.privateKey}\npublic key (analyzers):         ${files.publicKey}`,
  );
  return 0;
}

/** Refuses to overwrite: agents may still hold tokens of the old pair. */
export async function writeKeys(folder: string): Promise<KeyFiles> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = {
    privateKey: join(folder, 'stream-private.pem'),
    publicKey: join(folder, 'stream-public.pem'),
  };
  const keys = createKeys();
  try {
    await writeFile(files.privateKey, keys.privateKeyPem, { mode: 0o600, flag: 'wx' });
    await writeFile(files.publicKey, keys.publicKeyPem, { mode: 0o644, flag: 'wx' });
  } catch (cause) {
    throw new EntrainError(
      'CONFIG_INVALID',
      `Keys could not be written to ${folder}: expected a folder without keys that can be written to.`,
      { cause },
    );
  }
  return files;
}
