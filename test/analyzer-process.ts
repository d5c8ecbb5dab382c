/** `entrain analyzer` as a process of its own, known by what it announces on NATS. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ANALYZER_SERVICE } from '../src/protocol/subjects.ts';
import { findServices } from '../src/transport/nats-services.ts';
import type { NatsLink } from '../src/transport/nats.ts';
import type { NatsFixture } from './nats-fixture.ts';
import { waitFor } from './stream-fixture.ts';

export const PROGRAM = fileURLToPath(new URL('../bin/entrain.js', import.meta.url));

export interface AnalyzerProcess {
  child: ChildProcess;
  url: string;
}

export interface AnalyzerPlace {
  /** Holds `runs` and `public.pem`. */
  folder: string;
  nats: NatsFixture;
  /** The coordinator's. */
  link: NatsLink;
}

export async function startAnalyzerProcess({ folder, nats, link }: AnalyzerPlace): Promise<AnalyzerProcess> {
  const files = ['--runs', join(folder, 'runs'), '--public-key', join(folder, 'public.pem')];
  const child = spawn(process.execPath, [PROGRAM, 'analyzer', '--port', '0', ...files], {
    env: {
      ...process.env,
      NATS_URL: nats.url,
      NATS_USER: 'analyzer',
      NATS_PASSWORD: 'analyzer-secret',
      ENTRAIN_LOG: 'error',
    },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let url = '';
  await waitFor(async () => {
    url = (await findServices(link, ANALYZER_SERVICE, 100))[0]?.metadata['httpUrl'] ?? '';
    return url !== '';
  });
  return { child, url };
}

export async function stopProcess(
  { child }: AnalyzerProcess,
  signal: NodeJS.Signals,
): Promise<number | null> {
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  child.kill(signal);
  return ended;
}
