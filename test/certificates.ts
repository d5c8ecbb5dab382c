/** Certificates for a test, made by the same openssl calls as `npm run secrets` makes them. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeAuthority, makeCertificate } from '../scripts/lib/certificates.js';

export interface Certificates {
  folder: string;
  ca: string;
  /** Paths of a program's certificate and key. */
  of(name: string): { cert: string; key: string };
}

export interface Wanted {
  name: string;
  hosts: string[];
  /** How long it lasts; negative: it has expired. */
  days?: number;
}

/** An authority of its own, and a certificate for each program. */
export async function makeCertificates(programs: Wanted[]): Promise<Certificates> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-certificates-'));
  await makeAuthority(folder);
  for (const program of programs) await makeCertificate(folder, program);
  const of = (name: string) => ({ cert: join(folder, `${name}.crt`), key: join(folder, `${name}.key`) });
  return { folder, ca: join(folder, 'ca.crt'), of };
}
