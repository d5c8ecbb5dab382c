/** A real analyzer process without NATS, for benchmarks that stream to it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface Running {
  child: ChildProcess;
  url: string;
}

/** `folder` holds `public.pem`, and gets `runs`. */
export async function startAnalyzer(folder: string): Promise<Running> {
  const port = await freePort();
  const flags = [
    '--no-nats',
    '--port',
    String(port),
    '--runs',
    join(folder, 'runs'),
    '--public-key',
    join(folder, 'public.pem'),
  ];
  const child = spawn(process.execPath, ['bin/entrain.js', 'analyzer', ...flags], {
    env: { ...process.env, ENTRAIN_LOG: 'error' },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const url = `http://127.0.0.1:${port}`;
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (
      await fetch(`${url}/healthz`).then(
        (answer) => answer.ok,
        () => false,
      )
    )
      return { child, url };
    await delay(50);
  }
  throw new Error('the analyzer did not start');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
