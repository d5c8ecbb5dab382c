import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../../src/process/log.ts';
import { readServing } from '../../../../src/transport/http/serve-flags.ts';
import {
  healthz,
  jsonAnswer,
  readyz,
  serveHttp,
  type HttpRoute,
  type HttpServer,
} from '../../../../src/transport/http/server.ts';

const log = createLog('test').child({}, { level: 'silent' });
const open: HttpServer[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serve(routes: Record<string, HttpRoute>, port = 0): Promise<HttpServer> {
  const server = await serveHttp({ host: '127.0.0.1', port, routes, log });
  open.push(server);
  return server;
}

describe('serveHttp', () => {
  it('answers its routes and no other path', async () => {
    const { url } = await serve({
      '/healthz': healthz,
      '/query': ({ query }) => jsonAnswer(query.get('run')),
    });
    expect(await (await fetch(`${url}/healthz`)).text()).toBe('ok\n');
    expect(await (await fetch(`${url}/query?run=r1`)).json()).toBe('r1');
    expect((await fetch(`${url}/other`)).status).toBe(404);
    expect((await fetch(`${url}/constructor`)).status).toBe(404);
    expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(405);
    const head = await fetch(`${url}/healthz`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  it('reports ready only when every check passes', async () => {
    const faults: { nats?: string } = {};
    const { url } = await serve({ '/readyz': readyz({ nats: () => faults.nats }) });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    faults.nats = 'not connected';
    const answer = await fetch(`${url}/readyz`);
    expect([answer.status, await answer.text()]).toEqual([503, 'nats: not connected\n']);
  });

  it('answers 500 when a route fails and goes on serving', async () => {
    const { url } = await serve({
      '/broken': () => {
        throw new Error('planted');
      },
      '/healthz': healthz,
    });
    expect((await fetch(`${url}/broken`)).status).toBe(500);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });

  it.each([
    ['curl --http2', 'Upgrade, HTTP2-Settings', 'h2c'],
    ['a page that wants a WebSocket', 'Upgrade', 'websocket'],
  ])(
    'answers a request that only offers another protocol, as %s sends it',
    async (_, connection, upgrade) => {
      const { port } = await serve({ '/healthz': healthz });
      const socket = connect(port, '127.0.0.1');
      socket.write(
        `GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: ${connection}\r\nupgrade: ${upgrade}\r\n\r\n`,
      );
      let text = '';
      socket.on('data', (part: Buffer) => (text += part.toString()));
      await once(socket, 'close');
      expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\nok\n$/);
    },
  );

  it.each([
    ['0.0.0.0', undefined, /^http:\/\/127\.0\.0\.1:\d+$/],
    ['0.0.0.0', 'lab-1', /^http:\/\/lab-1:\d+$/],
    ['0.0.0.0', 'lab-1:443', /^http:\/\/lab-1:443$/],
    ['127.0.0.1', '[fd00::1]', /^http:\/\/\[fd00::1\]:\d+$/],
  ])('listens on %s and gives its address as %s', async (host, advertise, expected) => {
    const server = await serveHttp({ host, advertise, port: 0, routes: {}, log });
    open.push(server);
    expect(server.url).toMatch(expected);
  });

  it('refuses an advertised name that cannot stand in a URL', async () => {
    for (const advertise of ['http://lab-1', 'lab 1', 'lab-1:0', 'lab-1:70000', ''])
      await expect(readServing({ host: '0.0.0.0', port: '0', advertise })).rejects.toMatchObject({
        code: 'USAGE',
      });
  });

  it('names the port when it is taken', async () => {
    const first = await serve({});
    await expect(serve({}, first.port)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`Port ${first.port} on 127.0.0.1 is already in use`) as unknown,
    });
  });
});
