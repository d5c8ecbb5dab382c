/**
 * Simulated dyads with real senders: each has a turn every few seconds, with frames of the size of a
 * 768-dimensional model's.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSpool } from '../../src/journal/spool.ts';
import { systemClock } from '../../src/process/clock.ts';
import { createLog } from '../../src/process/log.ts';
import { TEXT_FEATURE_DIMS, type EpisodeFrame, type TurnFrame } from '../../src/protocol/stream/frames.ts';
import { deriveSeed } from '../../src/protocol/seed.ts';
import { packTensor } from '../../src/protocol/stream/tensor.ts';
import { createStreamSender, type StreamSender } from '../../src/transport/stream/sender/sender.ts';
import { mintToken } from '../../src/transport/stream/auth/access-token.ts';

export interface Fleet {
  dyads: Dyad[];
  /** Settles when everything sent so far is durable at the analyzer. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

export interface Dyad {
  /** Sends both agents' next turn; begins a new episode when one is over. */
  turn(): void;
}

export interface FleetOptions {
  streamUrl: string;
  privateKeyPem: string;
  dyads: number;
  layers: number;
  dims: number;
  turnsPerEpisode: number;
  /** Number of models over which the dyads are spread; each makes two groups. */
  models: number;
  /** 8 by default. With fewer than 6 no group has a score. */
  scenarios?: number;
}

export const RUN = 'bench-live';
const SCENARIOS = 8;
const TEXT_ENTRIES = 200;
const log = createLog('bench').child({}, { level: 'fatal' });

export async function openFleet(options: FleetOptions): Promise<Fleet> {
  const folder = await mkdtemp(join(tmpdir(), 'entrain-bench-'));
  const senders: StreamSender[] = [];
  const open = async (stream: string): Promise<StreamSender> => {
    const spool = await openSpool({ folder: join(folder, stream), maxBytes: 256 * 2 ** 20, log });
    const expiresAtMs = Date.now() + 3_600_000;
    const claims = { run: RUN, agent: stream, stream, mode: 'write', expiresAtMs } as const;
    const token = mintToken(options.privateKeyPem, claims);
    const sender = await createStreamSender({
      url: () => options.streamUrl,
      token: () => token,
      run: RUN,
      stream,
      spool,
      log,
      clock: systemClock,
    });
    senders.push(sender);
    return sender;
  };
  const dyads: Dyad[] = [];
  for (let index = 0; index < options.dyads; index += 1) {
    const pair = [`d${index}-a`, `d${index}-b`] as const;
    dyads.push(createDyad(options, { index, pair, senders: [await open(pair[0]), await open(pair[1])] }));
  }
  return {
    dyads,
    drained: async () => {
      for (const sender of senders) await sender.drained(60_000);
    },
    close: async () => {
      for (const sender of senders) await sender.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

interface DyadPlace {
  index: number;
  pair: readonly [string, string];
  senders: [StreamSender, StreamSender];
}

function createDyad(options: FleetOptions, { index, pair, senders }: DyadPlace): Dyad {
  const noise = createNoise(index);
  let count = -1;
  return {
    turn: () => {
      count += 1;
      const turn = count % options.turnsPerEpisode;
      const number = Math.floor(count / options.turnsPerEpisode);
      const episode = `d${index}-e${number}`;
      if (turn === 0)
        for (const [role, sender] of senders.entries())
          sender.append(episodeFrame(options, { index, number, episode, pair, role }));
      const speaker = senders[turn % 2] as StreamSender;
      speaker.append(turnFrame(options, { episode, turn, noise }));
    },
  };
}

function episodeFrame(
  { layers, dims, models, scenarios = SCENARIOS }: FleetOptions,
  at: { index: number; number: number; episode: string; pair: readonly [string, string]; role: number },
): Omit<EpisodeFrame, 'seq'> {
  const name = `model-${at.index % models}`;
  const model = { name, sha256: name.padEnd(64, '0'), layers, dims };
  return {
    type: 'episode',
    run: RUN,
    episode: at.episode,
    scenario: `s${(Math.floor(at.index / models) + at.number) % scenarios}`,
    pair: at.pair.join('-'),
    condition: 'live',
    seed: at.index,
    order: [...at.pair],
    role: at.role,
    models: [model, model],
  };
}

function turnFrame(
  { layers, dims }: FleetOptions,
  { episode, turn, noise }: { episode: string; turn: number; noise: (length: number) => Float32Array },
): Omit<TurnFrame, 'seq'> {
  const text = new Float32Array(TEXT_FEATURE_DIMS);
  for (const [k, value] of noise(TEXT_ENTRIES).entries())
    text[(k * 37 + turn * 11) % text.length] = value / 20;
  return {
    type: 'turn',
    episode,
    turn,
    layers: Array.from({ length: layers }, (_, layer) => layer + 1),
    shape: [1, layers, dims],
    tNs: turn,
    ...packTensor(noise(layers * dims), 'f32'),
    text: new Uint8Array(text.buffer),
    words: new Uint8Array(noise(dims).buffer),
  };
}

/** Values in −1…1 from a fast generator; the content of frames does not matter here. */
function createNoise(seed: number): (length: number) => Float32Array {
  let state = deriveSeed('bench', seed) || 1;
  return (length) =>
    Float32Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state / 2 ** 31;
    });
}
