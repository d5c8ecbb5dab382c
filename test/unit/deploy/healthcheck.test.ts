/** What the image asks to know whether its program lives, put to real servers of each kind. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { healthz, serveHttp, textAnswer } from '../../../src/transport/http/server.ts';
import { makeCertificates, type Certificates } from '../../fixtures/programs/certificates.ts';
import { freePort } from '../../fixtures/programs/free-port.ts';
import { silentLog } from '../../fixtures/stream/stream-fixture.ts';

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates([{ name: 'analyzer', hosts: ['analyzer'] }]);
});
afterAll(() => rm(certificates.folder, { recursive: true, force: true }));

async function statusOf(port: number): Promise<number> {
  const [status] = (await once(spawn(process.execPath, ['deploy/healthcheck.js', String(port)]), 'exit')) as [
    number,
  ];
  return status;
}

async function tls(mutual: boolean) {
  const { cert, key } = certificates.of('analyzer');
  const [certPem = '', keyPem = '', ca = ''] = await Promise.all(
    [cert, key, certificates.ca].map((file) => readFile(file, 'utf8')),
  );
  return { cert: certPem, key: keyPem, ...(mutual ? { clientCa: ca } : {}) };
}

describe('the health check of the image', () => {
  it.each([
    ['http', undefined],
    ['https', false],
    ['https with certificates of clients', true],
  ])('is content with a program that serves %s', async (_, mutual) => {
    const more = mutual === undefined ? {} : { tls: await tls(mutual) };
    const base = { host: '127.0.0.1', port: 0, routes: { '/healthz': healthz }, log: silentLog };
    const server = await serveHttp({ ...base, ...more });
    expect(await statusOf(server.port)).toBe(0);
    await server.close();
  });

  it('is not content where nobody answers, or with an error', async () => {
    expect(await statusOf(await freePort())).toBe(1);
    const broken = { '/healthz': () => textAnswer(503, 'no') };
    const server = await serveHttp({ host: '127.0.0.1', port: 0, routes: broken, log: silentLog });
    expect(await statusOf(server.port)).toBe(1);
    await server.close();
  });
});
