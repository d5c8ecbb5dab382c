/**
 * Who may read what over HTTP: a real server, asked from this machine and through headers and addresses of
 * others.
 */
import { chmod, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readHttpToken, refusalOf } from '../../../../src/transport/http/access.ts';
import { healthz, jsonAnswer, serveHttp, type HttpServer } from '../../../../src/transport/http/server.ts';
import { silentLog, temporaryFolder } from '../../../fixtures/stream/stream-fixture.ts';

const TOKEN = 'a-token-of-24-characters';
const routes = {
  '/healthz': healthz,
  '/readyz': healthz,
  '/metrics': healthz,
  '/': healthz,
  '/api/scores': () => jsonAnswer([]),
};
const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serve(token?: string, host = '127.0.0.1'): Promise<HttpServer> {
  const server = await serveHttp({ host, port: 0, routes, token, log: silentLog });
  open.push(server);
  return server;
}

interface Answer {
  status: number;
  challenge: string | undefined;
}

function ask(port: number, path: string, headers: Record<string, string> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path, headers }, (answer) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, challenge: answer.headers['www-authenticate'] });
    })
      .on('error', reject)
      .end();
  });
}
const basic = (pair: string) => ({ authorization: `Basic ${Buffer.from(pair).toString('base64')}` });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('an HTTP server with a token', () => {
  it.each<[string, Record<string, string>, number]>([
    ['none', {}, 401],
    ['another', bearer('a-token-of-24-characterz'), 401],
    ['a part of it', bearer(TOKEN.slice(0, -1)), 401],
    ['it and more', bearer(`${TOKEN}x`), 401],
    ['an empty one', bearer(''), 401],
    ['it under another scheme', { authorization: `Digest ${TOKEN}` }, 401],
    ['it as user', basic(`${TOKEN}:`), 401],
    ['it as password', basic(`anybody:${TOKEN}`), 200],
    ['it', bearer(TOKEN), 200],
    ['it under a scheme in lower case', { authorization: `bearer  ${TOKEN}` }, 200],
  ])('lets results, page and metrics be read with %s', async (_, headers, status) => {
    const { port } = await serve(TOKEN);
    for (const path of ['/api/scores', '/', '/metrics'])
      expect((await ask(port, path, headers)).status, path).toBe(status);
  });

  it('tells a browser to ask for the token, and leaves health open', async () => {
    const { port } = await serve(TOKEN);
    expect((await ask(port, '/')).challenge).toMatch(/^Basic /);
    for (const path of ['/healthz', '/readyz']) expect((await ask(port, path)).status).toBe(200);
  });

  it('answers alike for a path that exists and one that does not', async () => {
    const { port } = await serve(TOKEN);
    expect((await ask(port, '/nothing')).status).toBe(401);
  });
});

describe('an HTTP server without a token', () => {
  it('serves requests whose Host is a loopback name, and refuses others', async () => {
    const { port } = await serve();
    for (const path of Object.keys(routes)) expect((await ask(port, path)).status).toBe(200);
    expect((await ask(port, '/api/scores', { host: `localhost:${port}` })).status).toBe(200);
    expect((await ask(port, '/api/scores', { host: `LocalHost.:${port}` })).status).toBe(200);
    for (const path of ['/api/scores', '/'])
      expect((await ask(port, path, { host: 'evil.example' })).status).toBe(403);
    expect((await ask(port, '/metrics', { host: 'analyzer:9464' })).status).toBe(200);
  });

  it('lets itself be addressed by the name that it advertises', async () => {
    const options = { host: '127.0.0.1', port: 0, routes, log: silentLog };
    const server = await serveHttp({ ...options, advertise: 'lab-1.example:443' });
    open.push(server);
    const status = async (host: string): Promise<number> =>
      (await ask(server.port, '/api/scores', { host })).status;
    expect(await status('lab-1.example')).toBe(200);
    expect(await status('LAB-1.example:443')).toBe(200);
    expect(await status('lab-2.example')).toBe(403);
  });

  const from = (remoteAddress: string, localAddress = '192.0.2.1') =>
    ({ headers: { host: '192.0.2.1:9464' }, socket: { remoteAddress, localAddress } }) as never;
  it.each<[string, string, string, 403 | undefined]>([
    ['results', '/api/scores', '192.0.2.7', 403],
    ['the page', '/', '192.0.2.7', 403],
    ['metrics', '/metrics', '192.0.2.7', undefined],
    ['health', '/readyz', '192.0.2.7', undefined],
    ['results', '/api/scores', '192.0.2.1', undefined],
    ['results', '/api/scores', '::ffff:127.0.0.1', undefined],
    ['results', '/api/scores', '::ffff:192.0.2.7', 403],
  ])('answers a request for %s (%s) from %s with status %s', (_, path, ...[peer, status]) => {
    expect(refusalOf(from(peer), { path, names: ['0.0.0.0'], token: undefined })?.status).toBe(status);
  });

  it('takes a client that connects from the machine’s own outer address for a local one', async () => {
    const own = Object.values(networkInterfaces())
      .flat()
      .find((place) => place?.family === 'IPv4' && !place.internal)?.address;
    const { port } = await serve(undefined, '0.0.0.0');
    const answer = await fetch(`http://${own ?? '127.0.0.1'}:${port}/api/scores`);
    expect(answer.status).toBe(200);
  });
});

describe('readHttpToken', () => {
  it.each<[string, string, number, string]>([
    ['others can read', `${TOKEN}\n`, 0o644, 'chmod 600'],
    ['holds too little', 'short\n', 0o600, 'at least 16'],
    ['holds two lines', `${TOKEN}\n${TOKEN}\n`, 0o600, 'one line'],
  ])('refuses a token file that %s', async (_, ...[text, mode, why]) => {
    const file = join(await temporaryFolder(), 'http.token');
    await writeFile(file, text);
    await chmod(file, mode);
    const refused = expect(readHttpToken(file)).rejects;
    await refused.toMatchObject({ code: 'CONFIG_INVALID', message: expect.stringContaining(why) as unknown });
  });

  it('gives the token of the file, and undefined without a file', async () => {
    const file = join(await temporaryFolder(), 'http.token');
    await writeFile(file, `${TOKEN}\n`, { mode: 0o600 });
    expect(await readHttpToken(file)).toBe(TOKEN);
    expect(await readHttpToken(undefined)).toBeUndefined();
  });
});
