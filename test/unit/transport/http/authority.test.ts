/** The authority of a service: made once, believed by openssl and Node, and never made anew. */
import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findTool } from '../../../fixtures/programs/tools.ts';
import { keepAuthority } from '../../../../src/transport/http/authority/authority-files.ts';
import {
  makeServerCertificate,
  makeServerRequest,
  renewServerCertificate,
  signServerRequest,
} from '../../../../src/transport/http/authority/certificate.ts';
import { makeAuthority as makeByOpenssl } from '../../../../scripts/lib/certificates.js';
import { keyFingerprint } from '../../../../src/transport/http/tls.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-authority-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const nowMs = Date.now();

it('signs certificates that openssl takes in its strict mode, for names and addresses', async () => {
  const authority = await keepAuthority(folder, nowMs);
  const hosts = ['lab-1.example', '127.0.0.1', 'fd00::1:2', '::1'];
  const { cert } = await makeServerCertificate(authority, { name: 'lab-1', hosts, nowMs });
  const file = join(folder, 'server.crt');
  await writeFile(file, cert);
  const argv = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', join(folder, 'ca.crt'), file];
  expect(execFileSync(findTool('openssl'), argv).toString()).toContain(': OK');
  const read = new X509Certificate(cert);
  expect(read.checkHost('lab-1.example')).toBe('lab-1.example');
  for (const address of ['127.0.0.1', 'fd00::1:2', '::1']) expect(read.checkIP(address)).toBe(address);
  expect(read.checkHost('lab-2.example')).toBeUndefined();
  expect(read.ca).toBe(false);
  expect(new X509Certificate(authority.cert).ca).toBe(true);
});

it('is the same each time, and damage stops it', async () => {
  const first = await keepAuthority(folder, nowMs);
  const again = await keepAuthority(folder, nowMs + 1);
  expect(again).toEqual(first);
  expect(keyFingerprint(again.cert)).toMatch(/^[\w-]{43}$/);
  const [certFile, keyFile] = [join(folder, 'ca.crt'), join(folder, 'ca.key')];
  const key = await readFile(keyFile, 'utf8');
  const refused = (): Promise<unknown> => expect(keepAuthority(folder, nowMs)).rejects.toThrow(/is damaged/);
  await rm(keyFile);
  await refused();
  await writeFile(keyFile, 'nothing', { mode: 0o600 });
  await refused();
  await writeFile(keyFile, key, { mode: 0o600 });
  await rm(certFile);
  await refused();
});

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
const openssl = (...argv: string[]): string =>
  execFileSync(findTool('openssl'), argv, { stdio: 'pipe' }).toString();
const made = (...argv: string[]): string =>
  openssl(
    'req',
    '-x509',
    '-nodes',
    '-subj',
    '/CN=entrain',
    '-days',
    '3650',
    '-out',
    join(folder, 'ca.crt'),
    ...argv,
  );
const keyFile = (): string => join(folder, 'ca.key');

it.each<[string, () => unknown]>([
  ['as "npm run secrets" makes it', () => makeByOpenssl(folder)],
  [
    'without identifiers of keys',
    () => made(...EC, '-keyout', keyFile(), '-addext', 'subjectKeyIdentifier=none'),
  ],
  [
    'with a key in the older form',
    () => {
      openssl('ecparam', '-name', 'prime256v1', '-genkey', '-out', keyFile());
      made('-key', keyFile());
    },
  ],
])('signs by an authority that openssl made, %s', async (_, make) => {
  await make();
  await chmod(keyFile(), 0o600);
  const [cert, key] = [await readFile(join(folder, 'ca.crt'), 'utf8'), await readFile(keyFile(), 'utf8')];
  const authority = await keepAuthority(folder, nowMs);
  expect(authority).toEqual({ cert, key });
  const file = join(folder, 'server.crt');
  const own = await makeServerCertificate(authority, { name: 'lab-1', hosts: ['lab-1.example'], nowMs });
  const { request } = await makeServerRequest('lab-2');
  const asked = await signServerRequest(authority, { request, name: 'lab-2', hosts: ['127.0.0.2'], nowMs });
  const next = await renewServerCertificate(authority, {
    cert: own.cert,
    name: 'lab-1',
    nowMs: nowMs + 60_000,
  });
  for (const shown of [own.cert, asked ?? '', next ?? '']) {
    await writeFile(file, shown);
    expect(openssl('verify', '-purpose', 'sslserver', '-CAfile', join(folder, 'ca.crt'), file)).toContain(
      ': OK',
    );
  }
});

it('says which key it expects where an authority has another one', async () => {
  made('-newkey', 'rsa:2048', '-keyout', keyFile());
  await chmod(keyFile(), 0o600);
  await expect(keepAuthority(folder, nowMs)).rejects.toThrow(/has a key of another kind: expected .*P-256/);
});

it('refuses a certificate and a key that do not belong together', async () => {
  await keepAuthority(folder, nowMs);
  const other = await mkdtemp(join(tmpdir(), 'entrain-authority-'));
  const { key } = await keepAuthority(other, nowMs);
  await rm(other, { recursive: true, force: true });
  await writeFile(join(folder, 'ca.key'), key, { mode: 0o600 });
  await expect(keepAuthority(folder, nowMs)).rejects.toThrow(/belong together/);
});
