/** Limits on what a client may hold of an HTTP server, tried with real sockets. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { HTTP_LIMITS } from '../../../../src/transport/http/connection-limits.ts';
import {
  healthz,
  serveHttp,
  textAnswer,
  type HttpOptions,
  type HttpServer,
} from '../../../../src/transport/http/server.ts';
import { silentLog } from '../../../fixtures/stream/stream-fixture.ts';

/** Short enough for a test; the default is 10 s. */
const IDLE_MS = 1500;
/** The server looks once a second, and this machine may be busy. */
const NOTICED_MS = IDLE_MS + 4000;
const GET = 'GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n';

const servers: HttpServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.close();
});

async function serve(more: Partial<HttpOptions> = {}): Promise<HttpServer> {
  const limits = { ...more.limits, idleMs: IDLE_MS };
  const base = { host: '127.0.0.1', port: 0, routes: { '/healthz': healthz }, log: silentLog };
  const server = await serveHttp({ ...base, ...more, limits });
  servers.push(server);
  return server;
}

async function open({ port }: HttpServer, text = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** Milliseconds until the server closed the connection; `Infinity` if it did not within `NOTICED_MS`. */
async function closedAfter(socket: Socket): Promise<number> {
  const startMs = performance.now();
  socket.resume();
  const late = new Promise<true>((done) => setTimeout(done, NOTICED_MS, true).unref());
  const closed = new Promise<false>((done) => socket.once('close', () => done(false)));
  // A timer may fire a fraction of a millisecond early: only the race says which was first.
  const isOpen = await Promise.race([socket.destroyed ? false : closed, late]);
  return isOpen ? Infinity : performance.now() - startMs;
}

describe('a client that makes no progress', () => {
  it('may take ten seconds by default', () => {
    expect(HTTP_LIMITS.idleMs).toBe(10_000);
  });

  it.each<[string, string]>([
    ['says nothing', ''],
    ['stops within the headers', 'GET /healthz HTTP/1.1\r\nhost: loc'],
    ['stops within the body', 'POST /healthz HTTP/1.1\r\nhost: localhost\r\ncontent-length: 10\r\n\r\nhalf'],
    ['asks once and stays', GET],
  ])('is cut off when it %s', async (_, text) => {
    const socket = await open(await serve(), text);
    const afterMs = await closedAfter(socket);
    expect(afterMs).toBeLessThan(NOTICED_MS);
    expect(afterMs).toBeGreaterThan(IDLE_MS / 2);
  });

  it('is cut off when it sends one byte at a time', async () => {
    const socket = await open(await serve(), 'GET /healthz HTTP/1.1\r\nx: ');
    const drip = setInterval(() => socket.write('x'), 100);
    expect(await closedAfter(socket)).toBeLessThan(NOTICED_MS);
    clearInterval(drip);
  });

  it('is cut off when it does not read its answer', async () => {
    const big = textAnswer(200, 'x'.repeat(32 * 2 ** 20));
    const server = await serve({ routes: { '/big': () => big } });
    const socket = await open(server, 'GET /big HTTP/1.1\r\nhost: localhost\r\n\r\n');
    socket.pause();
    // A write that still makes progress at the first look is given the same time again. The client cannot see
    // the end without reading on.
    await new Promise((done) => setTimeout(done, 3 * NOTICED_MS));
    let bytes = 0;
    socket.on('data', (part: Buffer) => (bytes += part.length));
    await closedAfter(socket);
    expect(bytes).toBeLessThan(32 * 2 ** 20);
  });

  it('is not cut off while the server still prepares the answer', async () => {
    const slow = async () => {
      await new Promise((done) => setTimeout(done, IDLE_MS + 2000));
      return textAnswer(200, 'at last');
    };
    const { url } = await serve({ routes: { '/slow': slow } });
    expect(await (await fetch(`${url}/slow`)).text()).toBe('at last');
  });

  it('is not cut off if its connection is a WebSocket', async () => {
    const server = await serve({ upgradePath: '/stream' });
    server.upgrades.on('upgrade', (_: unknown, socket: Socket) => {
      sockets.push(socket);
      socket.write('HTTP/1.1 101 \r\n\r\n');
    });
    const socket = await open(
      server,
      'GET /stream HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    );
    expect(await closedAfter(socket)).toBe(Infinity);
  });
});

describe('the connections of one server', () => {
  it('are limited in number: the oldest idle one is closed when another sends a request', async () => {
    const server = await serve({ limits: { connections: 20 } });
    const idle: Socket[] = [];
    for (let count = 0; count < 60; count += 1) idle.push(await open(server));
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    await expect
      .poll(() => idle.filter((socket) => !socket.closed && !socket.resume().closed).length)
      .toBeLessThanOrEqual(20);
    expect(idle[0]?.closed).toBe(true);
  });

  it('are not closed for others while a request is under way on them', async () => {
    let answer: () => void = () => undefined;
    const wait = new Promise<void>((done) => (answer = done));
    const server = await serve({
      limits: { connections: 5 },
      routes: { '/healthz': healthz, '/slow': () => wait.then(() => textAnswer(200, 'done')) },
    });
    const asked = fetch(`${server.url}/slow`);
    await new Promise((done) => setTimeout(done, 200));
    for (let count = 0; count < 20; count += 1) await open(server);
    answer();
    expect(await (await asked).text()).toBe('done');
  });

  it('may pipeline a few requests, and are cut off for a flood of them', async () => {
    let served = 0;
    const route = async () => {
      served += 1;
      await new Promise((done) => setTimeout(done, 50));
      return textAnswer(200, 'x'.repeat(100_000));
    };
    const server = await serve({ limits: { pipelined: 8 }, routes: { '/healthz': route } });
    const few = await open(server, GET.repeat(4));
    let text = '';
    few.on('data', (part: Buffer) => (text += part.toString()));
    await expect.poll(() => text.match(/200 OK/g)?.length).toBe(4);
    const flood = await open(server, GET.repeat(5000));
    expect(await closedAfter(flood)).toBeLessThan(NOTICED_MS);
    expect(served).toBeLessThanOrEqual(4 + 8);
  });
});
