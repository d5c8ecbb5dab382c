import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../../src/process/log.ts';
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
  it('answers its routes, and nothing else', async () => {
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

  it('is ready only when every check passes', async () => {
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

  it('names a port that is taken', async () => {
    const first = await serve({});
    await expect(serve({}, first.port)).rejects.toMatchObject({
      code: 'PORT_IN_USE',
      message: expect.stringContaining(`Port ${first.port} on 127.0.0.1 is already in use`) as unknown,
    });
  });
});
