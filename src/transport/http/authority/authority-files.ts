/**
 * The authority of a service in a folder: made where there is none, and never made anew. Whoever believed the old one
 * would believe nobody of the new.
 */
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { EntrainError } from '../../../protocol/errors.ts';
import { makeFolder } from '../../../process/make-folder.ts';
import { readSecretFile } from '../../../process/secret-file.ts';
import { writeAtomic } from '../../../process/write-atomic.ts';
import { makeAuthority, type Pair } from './certificate.ts';

export const AUTHORITY_FILE = 'ca.crt';
const KEY_FILE = 'ca.key';

/** @throws EntrainError `CONFIG_INVALID` if half of it is there, it is damaged, or its key is of another kind */
export async function keepAuthority(folder: string, nowMs: number): Promise<Pair> {
  await makeFolder(folder, 0o700);
  const [certFile, keyFile] = [join(folder, AUTHORITY_FILE), join(folder, KEY_FILE)];
  const isThere = await Promise.all([certFile, keyFile].map(exists));
  if (isThere.every((is) => !is)) {
    const made = await makeAuthority(nowMs);
    await writeAtomic(keyFile, made.key);
    await writeAtomic(certFile, made.cert, 0o644);
    return made;
  }
  if (!isThere.every(Boolean)) throw damaged(folder);
  const key = await readSecretFile('the key of the authority', keyFile, 'a private key in PEM');
  const cert = await readFile(certFile, 'utf8');
  try {
    const own = createPublicKey(createPrivateKey(key)).export({ type: 'spki', format: 'der' });
    const { publicKey } = new X509Certificate(cert);
    if (!own.equals(publicKey.export({ type: 'spki', format: 'der' }))) throw damaged(folder);
    if (publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1') return { cert, key };
  } catch (cause) {
    throw cause instanceof EntrainError ? cause : damaged(folder, cause);
  }
  throw new EntrainError(
    'CONFIG_INVALID',
    `The authority in ${folder} has a key of another kind: expected ECDSA over P-256; make one with "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256", or remove ${AUTHORITY_FILE} and ${KEY_FILE} and let every machine join anew.`,
  );
}

const exists = (file: string): Promise<boolean> =>
  readFile(file).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );

const damaged = (folder: string, cause?: unknown): EntrainError =>
  new EntrainError(
    'CONFIG_INVALID',
    `The authority in ${folder} is damaged: expected ${AUTHORITY_FILE} and ${KEY_FILE} that belong together; bring both back from a backup, or remove both and let every machine join anew.`,
    { cause },
  );
