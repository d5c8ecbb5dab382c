/**
 * TLS of servers and clients, with certificates made by a real openssl: which peers are accepted and which
 * refused.
 */
import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRecording, type Recording } from '../../../../src/journal/run-recording.ts';
import { openSpool } from '../../../../src/journal/spool.ts';
import { systemClock } from '../../../../src/process/clock.ts';
import { healthz, serveHttp } from '../../../../src/transport/http/server.ts';
import { createStreamSender } from '../../../../src/transport/stream/sender/sender.ts';
import { createStreamServer } from '../../../../src/transport/stream/receiver/server.ts';
import { readServerTls, type ClientTls } from '../../../../src/transport/http/tls.ts';
import { verifyToken } from '../../../../src/transport/stream/auth/access-token.ts';
import { makeCertificates, type Certificates } from '../../../fixtures/programs/certificates.ts';
import {
  keys,
  recordedLines,
  RUN,
  silentLog,
  stepsFrame,
  temporaryFolder,
  tokenFor,
} from '../../../fixtures/stream/stream-fixture.ts';

const HERE = ['localhost', 'IP:127.0.0.1'];
/** How long an agent waits for a connection that must fail, and for one that must succeed. */
const [IN_VAIN_MS, WITH_PATIENCE_MS] = [500, 20_000];

let ours: Certificates;
let strangers: Certificates;
beforeAll(async () => {
  ours = await makeCertificates([
    { name: 'analyzer', hosts: HERE },
    { name: 'agent', hosts: ['agent'] },
    { name: 'expired', hosts: HERE, days: -1 },
    { name: 'elsewhere', hosts: ['elsewhere.example'] },
  ]);
  strangers = await makeCertificates([{ name: 'agent', hosts: ['agent'] }]);
});
afterAll(async () => {
  for (const { folder } of [ours, strangers]) await rm(folder, { recursive: true });
});

interface Analyzer {
  url: string;
  folder: string;
  recording: Recording;
  /** Number of upgrades that the stream server received. */
  refused(): Record<string, number>;
}

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const flags = (name: string): { 'tls-cert': string; 'tls-key': string } => {
  const { cert, key } = ours.of(name);
  return { 'tls-cert': cert, 'tls-key': key };
};

async function startAnalyzer(name: string, more: { 'tls-client-ca'?: string } = {}): Promise<Analyzer> {
  const tls = await readServerTls({ ...flags(name), ...more });
  const http = await serveHttp({
    host: '127.0.0.1',
    port: 0,
    routes: { '/healthz': healthz, '/metrics': healthz },
    upgradePath: '/stream',
    tls,
    log: silentLog,
  });
  const folder = await temporaryFolder();
  const recording = await openRecording({ folder, log: silentLog });
  const stream = createStreamServer({
    server: http.upgrades,
    authorize: (token) => verifyToken(keys.publicKeyPem, token, { nowMs: Date.now() }),
    record: (_, of) => recording.stream(of),
    onRecorded: () => undefined,
    log: silentLog,
    clock: systemClock,
  });
  stops.push(
    () => recording.close(),
    () => http.close(),
    () => stream.close(),
  );
  return { url: http.url, folder, recording, refused: () => stream.status().refused };
}

/** Number of frames recorded, of the three that an agent with these settings sends. */
async function recordedOf(
  analyzer: Analyzer,
  { url, tls, waitMs }: { url: string; tls: ClientTls; waitMs: number },
): Promise<number> {
  const spool = await openSpool({ folder: await temporaryFolder(), maxBytes: 2 ** 20, log: silentLog });
  const place = { url: () => `${url}/stream`, token: () => tokenFor('ada'), run: RUN, stream: 'ada' };
  const sender = await createStreamSender({
    ...place,
    spool,
    tls,
    log: silentLog,
    clock: systemClock,
    greetingMs: waitMs,
  });
  for (let turn = 0; turn < 3; turn++) sender.append(stepsFrame(turn));
  await sender.drained(waitMs);
  await sender.close();
  await spool.close();
  return (await recordedLines(analyzer.folder)).length;
}

const wss = ({ url }: Analyzer): string => url.replace(/^https/, 'wss');
const pem = (file: string): Promise<string> => readFile(file, 'utf8');

/** Status of a path, or the error code of the connection. */
async function ask(url: string, tls: ClientTls, path = '/healthz'): Promise<number | string> {
  return new Promise((resolve) => {
    request(`${url}${path}`, { ...tls, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    })
      .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end();
  });
}

describe('an analyzer with a certificate', () => {
  it('records over wss and answers https for clients that trust its authority', async () => {
    const analyzer = await startAnalyzer('analyzer');
    expect(analyzer.url).toMatch(/^https:/);
    const tls = { ca: await pem(ours.ca) };
    expect(await ask(analyzer.url, tls)).toBe(200);
    expect(await recordedOf(analyzer, { url: wss(analyzer), tls: tls, waitMs: WITH_PATIENCE_MS })).toBe(3);
  });

  it.each<[string, () => Promise<ClientTls>, string]>([
    ['without its authority', async () => ({}), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'with another of the same name',
      async () => ({ ca: await pem(strangers.ca) }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
  ])('is not trusted by a client %s', async (_, tls, code) => {
    const analyzer = await startAnalyzer('analyzer');
    expect(await ask(analyzer.url, await tls())).toBe(code);
    expect(await recordedOf(analyzer, { url: wss(analyzer), tls: await tls(), waitMs: IN_VAIN_MS })).toBe(0);
  });

  it.each([
    ['expired', 'CERT_HAS_EXPIRED'],
    ['elsewhere', 'ERR_TLS_CERT_ALTNAME_INVALID'],
  ])('is not trusted with a certificate that is %s', async (name, code) => {
    const analyzer = await startAnalyzer(name);
    const tls = { ca: await pem(ours.ca) };
    expect(await ask(analyzer.url, tls)).toBe(code);
    expect(await recordedOf(analyzer, { url: wss(analyzer), tls: tls, waitMs: IN_VAIN_MS })).toBe(0);
  });

  it('answers nothing to http and ws', async () => {
    const analyzer = await startAnalyzer('analyzer');
    await expect(fetch(`${analyzer.url.replace('https', 'http')}/healthz`)).rejects.toThrow('fetch failed');
    expect(
      await recordedOf(analyzer, { url: analyzer.url.replace('https', 'ws'), tls: {}, waitMs: IN_VAIN_MS }),
    ).toBe(0);
    expect(analyzer.refused()).toEqual({});
  });

  it('asks clients for a certificate if it was given their authority', async () => {
    const analyzer = await startAnalyzer('analyzer', { 'tls-client-ca': ours.ca });
    const shown = async (of: Certificates): Promise<ClientTls> => {
      const { cert, key } = of.of('agent');
      return { ca: await pem(ours.ca), cert: await pem(cert), key: await pem(key) };
    };
    for (const tls of [{ ca: await pem(ours.ca) }, await shown(strangers)]) {
      // A health check has no certificate, and learns only that the program runs.
      expect(await ask(analyzer.url, tls)).toBe(200);
      for (const path of ['/metrics', '/stream', '/', '/healthz/', '//healthz'])
        expect(await ask(analyzer.url, tls, path), path).toBe(403);
      expect(await recordedOf(analyzer, { url: wss(analyzer), tls: tls, waitMs: IN_VAIN_MS })).toBe(0);
    }
    for (const path of ['/healthz', '/metrics'])
      expect(await ask(analyzer.url, await shown(ours), path)).toBe(200);
    expect(
      await recordedOf(analyzer, { url: wss(analyzer), tls: await shown(ours), waitMs: WITH_PATIENCE_MS }),
    ).toBe(3);
  });
});

describe('certificate and key files', () => {
  it.each([0o640, 0o604, 0o644])('are refused if the key has mode %o', async (mode) => {
    const { cert, key } = ours.of('agent');
    const copy = join(ours.folder, `copy-${mode}.key`);
    await writeFile(copy, await pem(key));
    await chmod(copy, mode);
    const attempt = readServerTls({ 'tls-cert': cert, 'tls-key': copy });
    await expect(attempt).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringMatching(
        /^--tls-key names a secret that other users can read .*chmod 600/,
      ) as unknown,
    });
  });

  it.each<[string, () => Parameters<typeof readServerTls>[0], RegExp]>([
    ['no key', () => ({ 'tls-cert': ours.of('agent').cert }), /--tls-cert is given without --tls-key/],
    ['no certificate', () => ({ 'tls-key': ours.of('agent').key }), /--tls-key is given without --tls-cert/],
    ['an authority alone', () => ({ 'tls-client-ca': ours.ca }), /--tls-client-ca is given alone/],
    [
      'a key of another certificate',
      () => ({ 'tls-cert': ours.of('agent').cert, 'tls-key': ours.of('analyzer').key }),
      /--tls-cert and --tls-key do not fit together/,
    ],
    [
      'a file that is not there',
      () => ({ 'tls-cert': 'nowhere.crt', 'tls-key': ours.of('agent').key }),
      /--tls-cert cannot be read \(nowhere\.crt\)/,
    ],
    [
      'a key for a certificate',
      () => ({ 'tls-cert': ours.of('agent').key, 'tls-key': ours.of('agent').key }),
      /--tls-cert holds no PEM/,
    ],
  ])('are refused with %s', async (_, files, says) => {
    await expect(readServerTls(files())).rejects.toThrow(says);
  });

  it('mean no TLS if none is named', async () => {
    expect(await readServerTls({})).toBeUndefined();
  });
});
