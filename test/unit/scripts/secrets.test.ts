import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeCertificates } from '../../../scripts/lib/certificates.js';
import { letIntoRuns, writeNatsConfig, writeSecrets } from '../../../scripts/lib/secrets.js';
import { writeKeys } from '../../../src/cli/keys.ts';
import { natsAuthorization } from '../../../src/cli/nats/nats-config.ts';
import { writeAtomic } from '../../../src/process/write-atomic.ts';

const tools = { natsAuthorization, writeKeys, writeAtomic };
let parent: string;
let folder: string;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'entrain-secrets-'));
  folder = join(parent, 'fleet');
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const read = (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
const modeOf = async (name: string): Promise<number> => (await stat(join(folder, name))).mode & 0o777;

describe('the secrets of a fleet', () => {
  it('are for the agents named, and of mode 0600 unless compose mounts them', async () => {
    const agents = await writeSecrets(folder, { agents: ['eva'], runs: ['one'], compose: false }, tools);
    expect(agents).toEqual(['eva']);
    expect(await read('users.conf')).toContain((await read('agent-eva.password')).trim());
    for (const name of ['agent-eva.password', 'stream-private.pem', 'users.conf', 'http.token'])
      expect(await modeOf(name)).toBe(0o600);
    folder = join(parent, 'compose');
    await writeSecrets(folder, { agents: ['eva'], runs: ['one'], compose: true }, tools);
    for (const name of ['agent-eva.password', 'stream-private.pem']) expect(await modeOf(name)).toBe(0o644);
  });

  it('keep their passwords when other runs are named, and take in agents that are new', async () => {
    await writeSecrets(folder, { agents: ['eva'], runs: ['one'], compose: false }, tools);
    const before = await read('agent-eva.password');
    const agents = await letIntoRuns(folder, { agents: ['tom'], runs: ['two'], compose: false }, tools);
    expect(agents).toEqual(['eva', 'tom']);
    expect(await read('agent-eva.password')).toBe(before);
    const users = await read('users.conf');
    for (const word of [before.trim(), (await read('agent-tom.password')).trim(), 'entrain.v2.two.'])
      expect(users).toContain(word);
    expect(users).not.toContain('entrain.v2.one.');
    expect(await modeOf('agent-tom.password')).toBe(0o600);
  });

  it('of a service are for any run, with an operator and its submitters', async () => {
    const to = { agents: ['eva'], submitters: ['alice'], runs: ['*'], compose: false };
    await writeSecrets(folder, to, tools);
    const before = await read('submitter-alice.password');
    await letIntoRuns(folder, { ...to, submitters: ['bob'] }, tools);
    expect(await read('submitter-alice.password')).toBe(before);
    const users = await read('users.conf');
    for (const user of ['operator', 'submitter-alice', 'submitter-bob'])
      expect(users).toContain((await read(`${user}.password`)).trim());
    expect(users).toContain('entrain.v2.service.submitter.bob.*');
    expect(users).toContain('entrain.v2.*.episode.*.utterance.*.eva');
  });

  it('have no empty password, though a full disk left one', async () => {
    await writeSecrets(folder, { agents: ['eva'], runs: ['one'], compose: false }, tools);
    await writeFile(join(folder, 'agent-eva.password'), '');
    await letIntoRuns(folder, { agents: [], runs: ['two'], compose: false }, tools);
    const password = (await read('agent-eva.password')).trim();
    expect(password).toMatch(/^[\w-]{32}$/);
    expect(await read('users.conf')).toContain(password);
  });

  it('are there with users.conf or not at all', async () => {
    const fail = (): Promise<void> => Promise.reject(new Error('ENOSPC'));
    const to = { agents: ['eva'], runs: ['one'], compose: false };
    await expect(writeSecrets(folder, to, { ...tools, writeAtomic: fail })).rejects.toThrow('ENOSPC');
    expect(await readdir(folder)).not.toContain('users.conf');
    await expect(writeSecrets(folder, to, tools)).rejects.toThrow(/folder without keys/);
  });

  it('have a configuration of nats-server beside them', async () => {
    await writeSecrets(folder, { agents: ['eva'], runs: ['one'], compose: false }, tools);
    await writeNatsConfig(folder);
    expect(await read('nats.conf')).toContain('include "users.conf"');
    expect(await read('nats.conf')).not.toContain('tls');
  });
});

describe('the certificates of a fleet', () => {
  const tls = (): string => join(folder, 'tls');
  const readTls = (name: string): Promise<string> => readFile(join(tls(), name), 'utf8');

  it('of one more machine are made under the authority that is there, and the others stay', async () => {
    await writeCertificates(tls(), ['analyzer=lab-1']);
    const before = [await readTls('ca.crt'), await readTls('analyzer.crt')];
    await writeCertificates(tls(), ['agent-cyd=lab-4']);
    expect([await readTls('ca.crt'), await readTls('analyzer.crt')]).toEqual(before);
    const authority = new X509Certificate(before[0] as string);
    const added = new X509Certificate(await readTls('agent-cyd.crt'));
    expect(added.verify(authority.publicKey)).toBe(true);
    expect(added.subjectAltName).toContain('DNS:lab-4');
  });

  it.each([
    'nope=',
    '=lab-1',
    'ana lyzer=lab-1',
    'analyzer=lab-1,,lab-2',
    'analyzer=lab 1',
    'analyzer=http://a',
  ])('are not made for %s, and nothing is written', async (program) => {
    await expect(writeCertificates(tls(), ['agent-cyd=lab-4', program])).rejects.toThrow(
      `"${program}" names no program with its hosts: expected NAME=HOST`,
    );
    await expect(stat(tls())).rejects.toThrow('ENOENT');
  });

  it('are refused in one sentence where the key of the authority is elsewhere', async () => {
    await writeCertificates(tls(), ['analyzer=lab-1']);
    await rm(join(tls(), 'ca.key'));
    const before = await readTls('ca.crt');
    await expect(writeCertificates(tls(), ['agent-cyd=lab-4'])).rejects.toThrow(/put ca.key back/);
    expect(await readTls('ca.crt')).toBe(before);
  });
});
