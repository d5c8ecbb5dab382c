import { once } from 'node:events';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createLog } from '../../../../src/process/log.ts';
import type { EventStream } from '../../../../src/transport/http/server-sent-events.ts';
import { serveHttp, type HttpServer } from '../../../../src/transport/http/server.ts';

const log = createLog('test').child({}, { level: 'silent' });
let server: HttpServer | undefined;
afterEach(() => server?.close());

async function serveFeed(
  limits: { idleMs?: number } = {},
): Promise<{ url: string; opened: Promise<EventStream> }> {
  let take: (answer: EventStream) => void = () => undefined;
  const opened = new Promise<EventStream>((resolve) => (take = resolve));
  const feed = () => ({ status: 200, type: 'text/event-stream', body: 'begin\n', goesOn: take });
  server = await serveHttp({ host: '127.0.0.1', port: 0, routes: { '/feed': feed }, limits, log });
  return { url: server.url, opened };
}

describe('an answer that goes on', () => {
  it('sends text as it comes, also after the time in which other connections are closed', async () => {
    const { url, opened } = await serveFeed({ idleMs: 300 });
    const answer = await fetch(`${url}/feed`);
    const open = await opened;
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(open.send('later\n')).toBe(true);
    open.close();
    expect(await answer.text()).toBe('begin\nlater\n');
  });

  it('tells when its client has gone, and sends no more', async () => {
    const { url, opened } = await serveFeed();
    const control = new AbortController();
    await fetch(`${url}/feed`, { signal: control.signal });
    const open = await opened;
    const closed = new Promise<void>((resolve) => open.onClose(resolve));
    control.abort();
    await closed;
    expect(open.send('x')).toBe(false);
  });

  it('sheds previews of a client that does not read, and cuts it off when the rest is too much', async () => {
    const { url, opened } = await serveFeed();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.pause();
    socket.write('GET /feed HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
    const open = await opened;
    const closed = new Promise<void>((resolve) => open.onClose(resolve));
    const block = 'x'.repeat(64 * 1024);
    let shed = 0;
    let kept = 0;
    for (let at = 0; at < 1000; at += 1) {
      if (!open.send(block, true)) shed += 1;
      if (open.send(block)) kept += 1;
      else break;
    }
    expect(shed).toBeGreaterThan(10);
    expect(kept).toBeLessThan(1000);
    await closed;
    socket.destroy();
    await once(socket, 'close');
  });
});
