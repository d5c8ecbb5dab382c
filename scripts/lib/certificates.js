// Certificates by openssl: an authority of one's own, and under it a certificate for each program.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SetupError } from './setup-error.js';

const run = promisify(execFile);
const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const AUTHORITY_DAYS = 3650;
const DAYS = 825;
/** A name of a host, or `*.` and a domain. */
const HOST = /^(\*\.)?[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i;

/** Writes `ca.crt` and `ca.key`: who has the key can make certificates that every program believes. */
export async function makeAuthority(folder) {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const [key, cert] = [join(folder, 'ca.key'), join(folder, 'ca.crt')];
  const days = ['-days', String(AUTHORITY_DAYS)];
  await openssl(['req', '-x509', ...KEY, '-keyout', key, '-out', cert, '-subj', '/CN=entrain', ...days]);
  await chmod(key, 0o600);
}

/** Writes `NAME.crt` and `NAME.key` of a program that is reached under `hosts` (names, or addresses as `IP:…`). */
export async function makeCertificate(folder, { name, hosts, days = DAYS }) {
  const file = (end) => join(folder, `${name}.${end}`);
  const names = hosts.map((host) => (host.startsWith('IP:') ? host : `DNS:${host}`)).join(',');
  const request = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=${names}`];
  await openssl(['req', ...KEY, '-keyout', file('key'), '-out', file('csr'), ...request]);
  const authority = ['-CA', join(folder, 'ca.crt'), '-CAkey', join(folder, 'ca.key'), '-CAcreateserial'];
  const made = ['-copy_extensions', 'copy', '-days', String(days), '-out', file('crt')];
  await openssl(['x509', '-req', '-in', file('csr'), ...authority, ...made]);
  await rm(file('csr'));
  await chmod(file('key'), 0o600);
}

/**
 * A certificate for every `NAME=HOST[,HOST…]`, each also good on the program's own machine, under the folder's
 * authority: the one that is there, or else a new one. The certificates of other programs stay as they are.
 */
export async function writeCertificates(folder, programs) {
  const named = programs.map(readProgram);
  if (!hasAuthority(folder)) await makeAuthority(folder);
  for (const { name, hosts } of named) {
    const own = ['localhost', 'IP:127.0.0.1'];
    const reached = hosts.map((host) => (isIP(host) ? `IP:${host}` : host));
    await makeCertificate(folder, { name, hosts: [...reached, ...own] });
  }
}

/** Name and hosts of `NAME=HOST[,HOST…]`. */
export function readProgram(text) {
  const [, name, list = ''] = /^([\w-]+)=(.+)$/.exec(text) ?? [];
  const hosts = list.split(',');
  if (!name || !hosts.every((host) => isIP(host) || HOST.test(host)))
    throw new SetupError(
      `"${text}" names no program with its hosts: expected NAME=HOST[,HOST…], such as analyzer=lab-1.example.`,
    );
  return { name, hosts };
}

/** A new authority would make every certificate that it has given worthless. */
function hasAuthority(folder) {
  const [key, cert] = [join(folder, 'ca.key'), join(folder, 'ca.crt')].map((file) => existsSync(file));
  if (cert && !key)
    throw new SetupError(
      `${folder} has the authority's certificate ca.crt and not its key: put ca.key back to make certificates under it, or name another folder for a fleet of its own.`,
    );
  return cert;
}

async function openssl(argv) {
  await run('openssl', argv).catch((cause) => {
    const missing = cause.code === 'ENOENT';
    const text = missing
      ? 'There is no openssl to make certificates with: expected OpenSSL 3 on PATH; install it (Debian: apt-get install openssl).'
      : `openssl ${argv[0]} failed: ${String(cause.stderr ?? cause.message)
          .trim()
          .split('\n')
          .at(-1)}`;
    throw new SetupError(text);
  });
}
