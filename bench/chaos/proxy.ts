/** A line between senders and analyzer that delays, splits, joins, resets, truncates or swallows, as its seed says. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { once } from 'node:events';

export interface ProxyOptions {
  port: number;
  random(): number;
  /** Connections live so many bytes on average. */
  meanBytes: number;
}

export interface Proxy {
  port: number;
  connections(): number;
  /** From now on bytes towards the analyzer, or all of them, vanish without a word. */
  swallow(what: 'upward' | 'nothing'): void;
  /** From now on connections are left alone. */
  behave(): void;
  close(): Promise<void>;
}

type Mischief = 'none' | 'delay' | 'split' | 'join' | 'reset' | 'truncate';
const MISCHIEF: Mischief[] = ['delay', 'split', 'join', 'reset', 'reset', 'truncate', 'truncate'];

export async function startProxy(options: ProxyOptions): Promise<Proxy> {
  const { random } = options;
  let connections = 0;
  let swallowing = false;
  let good = false;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    connections += 1;
    const far = connect(options.port, '127.0.0.1');
    const mischief = good ? 'none' : (MISCHIEF[Math.floor(random() * MISCHIEF.length)] as Mischief);
    const lives = good ? Infinity : Math.ceil(random() * 2 * options.meanBytes);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => sockets.delete(socket));
    }
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
    far.on('data', (bytes) => near.write(bytes));
    let passed = 0;
    const held: Buffer[] = [];
    near.on('data', (bytes) => {
      if (swallowing) return;
      passed += bytes.length;
      if (passed > lives) {
        if (mischief === 'truncate') far.end(bytes.subarray(0, Math.floor(random() * bytes.length)));
        else near.resetAndDestroy();
        return;
      }
      pass(far, { bytes, mischief, held, random });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    swallow: (what) => (swallowing = what === 'upward'),
    behave: () => (good = true),
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function pass(
  far: Socket,
  part: { bytes: Buffer; mischief: Mischief; held: Buffer[]; random: () => number },
): void {
  const { bytes, mischief, held, random } = part;
  if (mischief === 'split') {
    for (let at = 0; at < bytes.length;) {
      const size = 1 + Math.floor(random() * 200);
      far.write(bytes.subarray(at, at + size));
      at += size;
    }
  } else if (mischief === 'join' || mischief === 'delay') {
    held.push(bytes);
    if (held.length > 1) return;
    setTimeout(() => far.write(Buffer.concat(held.splice(0))), mischief === 'join' ? 30 : random() * 60);
  } else far.write(bytes);
}
