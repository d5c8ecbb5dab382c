/** The real programs as children: an analyzer that can be killed and started again in its place, and senders. */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createKeys, mintToken } from '../../src/transport/token.ts';
import type { SenderOrder, SenderReport, SenderState } from './sender.ts';

export const RUN = 'chaos';

export interface Place {
  folder: string;
  /** The run's folder. */
  runFolder: string;
  port: number;
  url: string;
  token(stream: string): string;
  /** Whatever was started and may have to be ended. */
  children: Set<ChildProcess>;
}

/** Children must be compiled; this file may run from its source. */
const compiled = (path: string): string => {
  const here = fileURLToPath(import.meta.url);
  const root = here.includes('/dist/') ? here.split('/dist/')[0] : here.split('/bench/')[0];
  return join(root as string, 'dist', path);
};

async function makePlace(): Promise<Place> {
  const at = await mkdtemp(join(tmpdir(), 'entrain-chaos-'));
  const keys = createKeys();
  await writeFile(join(at, 'public.pem'), keys.publicKeyPem);
  const port = await freePort();
  const claims = { run: RUN, mode: 'write' as const, expiresAtMs: Date.now() + 24 * 3_600_000 };
  return {
    folder: at,
    runFolder: join(at, 'runs', RUN),
    port,
    url: `ws://127.0.0.1:${port}/stream`,
    token: (stream) => mintToken(keys.privateKeyPem, { ...claims, agent: stream, stream }),
    children: new Set(),
  };
}

/** Nothing outlives a scenario, also when it fails. */
export async function inPlace<T>(work: (place: Place) => Promise<T>): Promise<T> {
  const place = await makePlace();
  try {
    return await work(place);
  } finally {
    for (const child of place.children) child.kill('SIGKILL');
    await rm(place.folder, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Settles when it takes connections. */
export async function startAnalyzer(place: Place, host = '127.0.0.1'): Promise<ChildProcess> {
  const where = ['--host', host, '--port', String(place.port), '--runs', join(place.folder, 'runs')];
  const args = ['analyzer', '--no-nats', ...where];
  const key = ['--public-key', join(place.folder, 'public.pem')];
  const child = spawn(process.execPath, [compiled('src/cli/entrain.js'), ...args, ...key], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, ENTRAIN_LOG: 'silent' },
  });
  place.children.add(child);
  await until(() => answers(place.port, host), `the analyzer on port ${place.port}`);
  return child;
}

export async function kill(child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

export interface SenderChild {
  child: ChildProcess;
  state(): Promise<SenderState>;
  /** No more frames; settles when everything is acknowledged or two minutes have passed. */
  stop(): Promise<SenderReport>;
}

/** `namespace`: the network namespace it lives in. */
export async function startSender(
  place: Place,
  order: SenderOrder,
  namespace?: string,
): Promise<SenderChild> {
  const child = forkIn(namespace, compiled('bench/chaos/sender.js'));
  place.children.add(child);
  const sending = answerOf(child);
  child.send(order);
  await sending;
  return {
    child,
    state: async () => {
      const answer = answerOf(child);
      child.send('status');
      return (await answer) as SenderState;
    },
    stop: async () => {
      const answer = answerOf(child);
      child.send('stop');
      const report = (await answer) as SenderReport;
      await kill(child, 'SIGTERM');
      return report;
    },
  };
}

function forkIn(namespace: string | undefined, script: string): ChildProcess {
  const stdio = ['ignore', 'ignore', 'inherit', 'ipc'] as const;
  if (namespace === undefined) return fork(script, { stdio: [...stdio] });
  return spawn('ip', ['netns', 'exec', namespace, process.execPath, script], { stdio: [...stdio] });
}

async function answerOf(child: ChildProcess): Promise<unknown> {
  const over = new AbortController();
  const { signal } = over;
  const gone = once(child, 'exit', { signal }).then(([code]) => {
    throw new Error(`a sender ended with status ${String(code)} before it answered`);
  });
  gone.catch(() => undefined);
  try {
    const [answer] = (await Promise.race([once(child, 'message', { signal }), gone])) as [unknown];
    return answer;
  } finally {
    over.abort();
  }
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  const deadlineMs = performance.now() + 60_000;
  while (!(await holds())) {
    if (performance.now() > deadlineMs) throw new Error(`timed out waiting for ${what}`);
    await pause(20);
  }
}

function answers(port: number, host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const line = connect(port, host);
    line.on('connect', () => {
      line.destroy();
      resolve(true);
    });
    line.on('error', () => resolve(false));
  });
}
