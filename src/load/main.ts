/** `entrain load`: what an analyzer takes, by agents without models that send real frames. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSpool, type Spool } from '../journal/spool.ts';
import { systemClock as clock } from '../process/clock.ts';
import { createLog } from '../process/log.ts';
import { mintToken, TOKEN_LIFE_MS } from '../transport/stream/auth/access-token.ts';
import { createStreamSender, type StreamSender } from '../transport/stream/sender/sender.ts';
import { sendLoad } from './send-load.ts';
import { readLoadSettings, type LoadSettings } from './settings.ts';
import { createPair, type SimulatedPair } from './simulated-pair.ts';

export { FLAGS as flags, usage } from './settings.ts';

export async function run(argv: string[]): Promise<number> {
  const settings = await readLoadSettings(argv);
  const folder = await mkdtemp(join(tmpdir(), 'entrain-load-'));
  const agents = await openAgents(settings, folder);
  try {
    const figures = await sendLoad(settings, agents);
    process.stdout.write(`${settings.json ? JSON.stringify(figures) : textOf(figures)}\n`);
    return figures.acknowledged ? 0 : 1;
  } finally {
    for (const { sender, spool } of agents.streams) await sender.close().then(() => spool.close());
    await rm(folder, { recursive: true, force: true });
  }
}

interface Stream {
  sender: StreamSender;
  spool: Spool;
  /** Bytes of all frames so far. */
  bytes(): number;
}

interface Agents {
  streams: Stream[];
  pairs: SimulatedPair[];
}

async function openAgents(settings: LoadSettings, folder: string): Promise<Agents> {
  const streams = await Promise.all(
    Array.from({ length: settings.agents }, (_, i) => {
      const stream = `load-${Math.floor(i / 2)}-${i % 2 === 0 ? 'a' : 'b'}`;
      return openStream(settings, stream, join(folder, stream));
    }),
  );
  const pairs = Array.from({ length: settings.agents / 2 }, (_, pair) => {
    const [a, b] = streams.slice(2 * pair, 2 * pair + 2);
    if (!a || !b) throw new Error(`no stream for pair ${pair}`);
    return createPair(settings, pair, [a.sender, b.sender]);
  });
  return { streams, pairs };
}

async function openStream(settings: LoadSettings, stream: string, folder: string): Promise<Stream> {
  const { url, privateKey, run: name, tls, spoolBytes } = settings;
  const log = createLog(`load ${stream}`);
  const spool = await openSpool({ folder, maxBytes: spoolBytes, log });
  let bytes = 0;
  const counted: Spool = {
    ...spool,
    append: (seq, message, crc) => {
      bytes += message.length;
      spool.append(seq, message, crc);
    },
  };
  // Signed anew for each connection, so that a load of hours may connect again.
  const token = (): string =>
    mintToken(privateKey, {
      run: name,
      agent: stream,
      stream,
      mode: 'write',
      expiresAtMs: clock.nowMs() + TOKEN_LIFE_MS,
    });
  const place = { url: () => url, token, run: name, stream, spool: counted, log, clock };
  const sender = await createStreamSender({ ...place, ...(tls ? { tls } : {}) });
  return { sender, spool, bytes: () => bytes };
}

function textOf(figures: Awaited<ReturnType<typeof sendLoad>>): string {
  const { frames, framesPerS, megabytesPerS, latencyMs, shed, lateTokens, ownCores, acknowledged } = figures;
  return [
    `frames       ${frames} sent, ${Math.round(framesPerS)} a second, ${megabytesPerS.toFixed(2)} MB/s`,
    `acknowledged after ${latencyMs.p50.toFixed(0)} ms (half of them), ${latencyMs.p99.toFixed(0)} ms (99 %)`,
    `left out     ${shed} frames for full spools, ${lateTokens} tokens for want of processor time here`,
    `this program ${ownCores.toFixed(2)} cores`,
    acknowledged ? 'all that was sent is recorded' : 'not all that was sent was acknowledged in time',
  ].join('\n');
}
