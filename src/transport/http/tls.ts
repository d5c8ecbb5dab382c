/**
 * Reads certificates, keys and authorities from PEM files. A program has one certificate: it shows it to
 * clients, and to servers that ask for one.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { checkServerIdentity, createSecureContext, type PeerCertificate } from 'node:tls';
import { EntrainError } from '../../protocol/errors.ts';
import { readSecretFile } from '../../process/secret-file.ts';

/** Certificate and key of a program, as PEM. */
export interface Identity {
  cert: string;
  key: string;
}

/** TLS settings of a server, as PEM. */
export interface ServerTls extends Identity {
  /** If given, clients must show a certificate signed by this authority. */
  clientCa?: string;
}

/** TLS settings of a client, as PEM. Without `ca` the authorities known to Node count. */
export interface ClientTls extends Partial<Identity> {
  ca?: string;
}

/**
 * SHA-256 of the first certificate of a PEM text: hex pairs in capitals with colons, as `openssl x509 -fingerprint` has
 * it.
 */
export const fingerprintOf = ({ cert }: Pick<Identity, 'cert'>): string =>
  new X509Certificate(cert).fingerprint256;

/** SHA-256 of a certificate's public key, base64url: it stays the same when the certificate is renewed. */
export const keyFingerprint = (cert: string | Buffer): string =>
  createHash('sha256')
    .update(new X509Certificate(cert).publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');

/**
 * What a client checks beside the authority: the name, and that the certificate is the very one it was told of. Nothing
 * is sent to who shows another.
 * @returns for `checkServerIdentity` of `tls.connect`: undefined, or an error, `ANALYZER_UNTRUSTED` for another
 * certificate
 */
export function requireFingerprint(
  fingerprint: string,
): (host: string, shown: PeerCertificate) => Error | undefined {
  return (host, shown) => {
    const misnamed = checkServerIdentity(host, shown);
    if (misnamed || shown.fingerprint256 === fingerprint) return misnamed;
    return new EntrainError(
      'ANALYZER_UNTRUSTED',
      `What answers at ${host} as the analyzer shows another certificate than the coordinator named (SHA-256 ${shown.fingerprint256}, expected ${fingerprint}): see which program listens there; a certificate that was renewed is known once its analyzer has been started again.`,
    );
  };
}

/** The TLS flags of every program with an HTTP server. */
export const TLS_FLAGS = {
  'tls-cert': { type: 'string', value: 'FILE', about: 'serve with TLS: the certificate' },
  'tls-key': { type: 'string', value: 'FILE', about: 'and its key, of mode 0600' },
  'tls-client-ca': {
    type: 'string',
    value: 'FILE',
    about: 'let in only who shows a certificate of this authority',
  },
} as const;

type Named<Names extends string> = Partial<Record<Names, string | undefined>>;

/**
 * Reads the files of `--tls-cert`, `--tls-key` and `--tls-client-ca`; undefined if none is named.
 * @throws EntrainError `USAGE`, `CONFIG_INVALID`
 */
export async function readServerTls(files: Named<keyof typeof TLS_FLAGS>): Promise<ServerTls | undefined> {
  const identity = await readIdentity({ cert: '--tls-cert', key: '--tls-key' }, [
    files['tls-cert'],
    files['tls-key'],
  ]);
  const clientCa = await readAuthority('--tls-client-ca', files['tls-client-ca']);
  if (identity) return { ...identity, ...(clientCa ? { clientCa } : {}) };
  if (clientCa === undefined) return undefined;
  throw new EntrainError(
    'USAGE',
    '--tls-client-ca is given alone: expected --tls-cert and --tls-key beside it.',
  );
}

/**
 * The certificate and key that two settings name; undefined if neither is set.
 * @throws EntrainError `USAGE`, `CONFIG_INVALID`
 */
export async function readIdentity(
  settings: { cert: string; key: string },
  [certFile, keyFile]: [string | undefined, string | undefined],
): Promise<Identity | undefined> {
  if (!certFile && !keyFile) return undefined;
  if (!certFile || !keyFile) {
    const [given, missing] = certFile ? [settings.cert, settings.key] : [settings.key, settings.cert];
    throw new EntrainError('USAGE', `${given} is given without ${missing}: expected both or neither.`);
  }
  const cert = await readPem(settings.cert, certFile, 'a certificate');
  const key = await readSecretFile(settings.key, keyFile, 'the private key of the certificate, in PEM');
  requireIdentity(`${settings.cert} and ${settings.key}`, { cert, key });
  return { cert, key };
}

/**
 * The certificate authority in a file; undefined if no file is named.
 * @throws EntrainError `CONFIG_INVALID`
 */
export async function readAuthority(setting: string, file: string | undefined): Promise<string | undefined> {
  if (!file) return undefined;
  const ca = await readPem(setting, file, 'the certificate of an authority');
  requireContext(setting, { ca }, 'the certificate of an authority, in PEM');
  return ca;
}

async function readPem(setting: string, file: string, what: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new EntrainError(
      'CONFIG_INVALID',
      `${setting} cannot be read (${file}): expected a file with ${what}, in PEM.`,
      { cause },
    );
  });
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  throw new EntrainError('CONFIG_INVALID', `${setting} holds no PEM (${file}): expected ${what}.`);
}

/** @throws EntrainError `CONFIG_INVALID` if the certificate is none, or its key another one's */
export const requireIdentity = (settings: string, identity: Identity): void =>
  requireContext(settings, identity, 'a PEM certificate and its own key');

function requireContext(settings: string, pem: Parameters<typeof createSecureContext>[0], expected: string) {
  try {
    createSecureContext(pem);
  } catch (cause) {
    throw new EntrainError('CONFIG_INVALID', `${settings} do not fit together: expected ${expected}.`, {
      cause,
    });
  }
}
