/**
 * The download of nats-server from start to end, from a server of our own: fetched, checked, unpacked, or refused
 * whole.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { downloadNatsServer } from '../../../scripts/lib/nats-release.js';
import { cacheFolder } from '../../../scripts/lib/paths.js';

const NAME = `planted-server-${process.pid}`;

let folder: string;
let server: Server;
let archive: Buffer;
let release: { name: string; hash: string; url: string; folder: string };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-release-'));
  await mkdir(join(folder, NAME));
  await writeFile(join(folder, NAME, 'nats-server'), '#!/bin/sh\necho nats-server: v2.11.8\n');
  await chmod(join(folder, NAME, 'nats-server'), 0o755);
  execFileSync('tar', ['-czf', 'archive.tar.gz', NAME], { cwd: folder });
  archive = await readFile(join(folder, 'archive.tar.gz'));
  server = createServer((request, response) => {
    response.statusCode = request.url === '/archive' ? 200 : 404;
    response.end(request.url === '/archive' ? archive : 'nothing');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  release = {
    name: NAME,
    hash: createHash('sha256').update(archive).digest('hex'),
    url: `http://127.0.0.1:${port}/archive`,
    folder: join(cacheFolder, NAME),
  };
});

afterAll(async () => {
  await new Promise((resolve) => server.close(resolve));
  await rm(release.folder, { recursive: true, force: true });
  await rm(folder, { recursive: true, force: true });
});

describe('the download of nats-server', () => {
  it('refuses an archive with another hash and leaves nothing of it', async () => {
    await expect(downloadNatsServer({ ...release, hash: '0'.repeat(64) })).rejects.toThrow(/was thrown away/);
    expect(existsSync(release.folder)).toBe(false);
  });

  it('says in one sentence when there is nothing to download', async () => {
    const url = release.url.replace('archive', 'absent');
    await expect(downloadNatsServer({ ...release, url })).rejects.toThrow(/HTTP status 404.*NATS_URL/);
  });

  it('unpacks what it should be, and does not fetch it twice', async () => {
    const program = await downloadNatsServer(release);
    expect(execFileSync(program ?? '', { encoding: 'utf8' })).toBe('nats-server: v2.11.8\n');
    expect(await downloadNatsServer({ ...release, url: 'http://127.0.0.1:1/' })).toBe(program);
    const left = (await readdir(cacheFolder)).filter((name) => name.startsWith('unpacking-'));
    expect(left).toEqual([]);
  });
});
