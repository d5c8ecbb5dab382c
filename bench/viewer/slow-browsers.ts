/** Browsers that follow a run and read nothing of what they are sent. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

interface SlowBrowsers {
  close(): void;
}

export async function connectSlowly(
  url: string,
  { run, count }: { run: string; count: number },
): Promise<SlowBrowsers> {
  const sockets = await Promise.all(Array.from({ length: count }, () => slowBrowser(url, run)));
  return { close: () => sockets.forEach((socket) => socket.destroy()) };
}

async function slowBrowser(url: string, run: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(`GET /api/feed?run=${run} HTTP/1.1\r\nHost: ${hostname}:${port}\r\n\r\n`);
  socket.pause();
  return socket;
}
