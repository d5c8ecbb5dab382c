/** Certificates of an authority of one's own (X.509 v3, ECDSA over P-256): for itself, and for servers. */
// The library below looks for it when it is loaded.
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Pkcs10CertificateRequest,
  Pkcs10CertificateRequestGenerator,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { createPrivateKey, KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

/** As PEM. */
export interface Pair {
  cert: string;
  key: string;
}

const CURVE = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNED = { name: 'ECDSA', hash: 'SHA-256' };
const DAY_MS = 24 * 3600 * 1000;
/** Clocks of other machines may be behind. */
const BEFORE_MS = 3600 * 1000;
const AUTHORITY_DAYS = 3650;
const SERVER_DAYS = 825;
const subtle = webcrypto.subtle;

export async function makeAuthority(nowMs: number): Promise<Pair> {
  const keys = await subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const made = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=entrain authority',
    keys,
    ...lifeOf(nowMs, AUTHORITY_DAYS),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${made.toString('pem')}\n`, key: pem(keys.privateKey) };
}

/** A certificate for a server that is reached under `hosts`, names or addresses, and the authority's own behind it. */
export async function makeServerCertificate(
  authority: Pair,
  { name, hosts, nowMs }: { name: string; hosts: readonly string[]; nowMs: number },
): Promise<Pair> {
  const { publicKey, privateKey } = await subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const cert = await certifyServer(authority, { name, hosts, nowMs, publicKey });
  return { cert, key: pem(privateKey) };
}

/** A key of a server's own, and a request (PKCS #10) by which an authority signs it, both as PEM. */
export async function makeServerRequest(name: string): Promise<{ request: string; key: string }> {
  const keys = await subtle.generateKey(CURVE, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [{ CN: [name] }],
    keys,
    signingAlgorithm: SIGNED,
  });
  return { request: request.toString('pem'), key: pem(keys.privateKey) };
}

/**
 * The certificate for a request that proves to hold its key. Of the request only the key counts: name and hosts are
 * what the authority says.
 * @returns undefined if the request is none, or its signature is wrong
 */
export async function signServerRequest(
  authority: Pair,
  { request, ...of }: { request: string; name: string; hosts: readonly string[]; nowMs: number },
): Promise<string | undefined> {
  try {
    const asked = new Pkcs10CertificateRequest(request);
    if (!(await asked.verify())) return undefined;
    return await certifyServer(authority, {
      ...of,
      publicKey: await asked.publicKey.export(CURVE, ['verify']),
    });
  } catch {
    return undefined;
  }
}

/**
 * The next certificate of a server, for the key and the hosts that it has.
 * @returns undefined if `cert` is none that this authority made for a server of this name
 */
export async function renewServerCertificate(
  authority: Pair,
  { cert, name, nowMs }: { cert: string; name: string; nowMs: number },
): Promise<string | undefined> {
  try {
    const shown = new X509Certificate(cert);
    const { publicKey } = new X509Certificate(authority.cert);
    const [owner] = shown.subjectName.getField('CN');
    if (owner !== name || !(await shown.verify({ publicKey, signatureOnly: true }))) return undefined;
    const reached = shown.getExtension(SubjectAlternativeNameExtension)?.names.items ?? [];
    return await certifyServer(authority, {
      name,
      hosts: reached.map(({ value }) => value),
      nowMs,
      publicKey: await shown.publicKey.export(CURVE, ['verify']),
    });
  } catch {
    return undefined;
  }
}

async function certifyServer(
  authority: Pair,
  of: { name: string; hosts: readonly string[]; nowMs: number; publicKey: webcrypto.CryptoKey },
): Promise<string> {
  const { name, hosts, nowMs, publicKey } = of;
  const issuer = new X509Certificate(authority.cert);
  const signer = createPrivateKey(authority.key).export({ type: 'pkcs8', format: 'der' });
  const issuerId = issuer.getExtension(SubjectKeyIdentifierExtension)?.keyId ?? '';
  const reached = hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value }) as const);
  const made = await X509CertificateGenerator.create({
    subject: [{ CN: [name] }],
    issuer: issuer.subjectName,
    publicKey,
    signingKey: await subtle.importKey('pkcs8', signer, CURVE, false, ['sign']),
    ...lifeOf(nowMs, SERVER_DAYS),
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(reached),
      new AuthorityKeyIdentifierExtension(issuerId),
    ],
  });
  return `${made.toString('pem')}\n${authority.cert}`;
}

const lifeOf = (nowMs: number, days: number): { notBefore: Date; notAfter: Date } => ({
  notBefore: new Date(nowMs - BEFORE_MS),
  notAfter: new Date(nowMs - BEFORE_MS + days * DAY_MS),
});

const pem = (key: webcrypto.CryptoKey): string =>
  KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }).toString();
