/**
 * What an agent with a valid token of its own may ask of the real analyzer by sheer mass: as many bytes as the network
 * carries, the whole room of a run, and a recording so large that opening it again takes a while.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { readRecording } from '../../src/journal/read-recording.ts';
import { decodeMessage, encodeMessage } from '../../src/protocol/stream/codec.ts';
import type { EpisodeFrame, StepsFrame, StreamMessage } from '../../src/protocol/stream/frames.ts';
import { packTensor } from '../../src/protocol/stream/tensor.ts';
import { until } from '../fixtures/programs/demo.ts';
import { episodeFrame } from '../fixtures/recordings/recording-fixture.ts';
import { keys, RUN, startAgent, tokenFor } from '../fixtures/stream/stream-fixture.ts';
import { STREAM_LIMITS } from '../../src/transport/stream/receiver/limits.ts';

const [STEPS, DIMS] = [64, 8192];
/** Two bytes a value. */
const FRAME_BYTES = 2 * STEPS * DIMS;
const { agentBytesPerS, agentBurstBytes, creditBytes } = STREAM_LIMITS;
/** Long enough to connect. */
const GREETING_MS = 500;
/** What is recorded. */
const RECORDED = 96;
/** Repeats of a frame, which cost the sender nothing but bytes: six seconds above the burst. */
const REPEATS = Math.ceil((agentBurstBytes + 6 * agentBytesPerS) / FRAME_BYTES);

let folder: string;
let analyzer: ChildProcess;
let base: string;
/** What the analyzer has logged since its last start. */
let said: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-attackers-'));
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
}, 60_000);
afterAll(async () => {
  analyzer.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function start(...flags: string[]): Promise<void> {
  const files = ['--runs', join(folder, 'runs'), '--public-key', join(folder, 'public.pem')];
  const argv = ['bin/entrain.js', 'analyzer', '--no-nats', '--port', '0', ...files, ...flags];
  analyzer = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  said = '';
  analyzer.stderr?.on('data', (part: Buffer) => (said += part.toString()));
  base = await until('the analyzer', () => /"url":"(http:[^"]+)"/.exec(said)?.[1]);
}

async function kill(): Promise<void> {
  const ended = new Promise((resolve) => analyzer.once('exit', resolve));
  analyzer.kill('SIGKILL');
  await ended;
}

const model = { name: 'wide', sha256: 'ab', layers: 1, dims: DIMS };
const about = (run: string, agent: string): EpisodeFrame => ({
  ...episodeFrame(0, agent === 'ada' ? 0 : 1),
  run,
  models: [model, model],
});

function frame(seq: number): StepsFrame {
  const tensor = packTensor(new Float32Array(STEPS * DIMS).fill(seq / 1024), 'f16');
  const bytes = Array.from({ length: STEPS }, (_, i): [number, number] => [i, i + 1]);
  const place = { episode: 'e1', turn: 0, step0: 0, role: 'speak', bytes } as const;
  return { type: 'steps', seq, ...place, layers: [1], shape: [STEPS, 1, DIMS], ...tensor, tNs: seq };
}

interface Sending {
  socket: WebSocket;
  /** Number of the last acknowledged frame. */
  acked(): number;
  /** Number of acknowledgements; a repeated frame has one of its own. */
  acks(): number;
}

/** Connects with a token of the agent's own, and says hello for frames 0 to `frames`; sends them as fast as it may. */
function send(of: { run: string; agent: string; frames: number }): Promise<Sending> {
  const { run, agent, frames } = of;
  const headers = { authorization: `Bearer ${tokenFor(agent, { run })}` };
  // As a sender does: a mask of zeros costs neither side anything.
  const generateMask = (mask: Buffer): void => void mask.fill(0);
  const socket = new WebSocket(`${base.replace('http', 'ws')}/stream`, { headers, generateMask });
  const say = (message: StreamMessage): void => socket.send(encodeMessage(message));
  let [next, acked, acks] = [0, -1, 0];
  const pump = (): void => {
    while (next <= frames && (next - acked) * FRAME_BYTES < creditBytes) {
      say(next === 0 ? { ...about(run, agent), seq: 0 } : frame(next));
      next += 1;
    }
  };
  socket.on('error', () => undefined);
  socket.on('message', (data) => {
    const message = decodeMessage(data as Buffer);
    if (message.type === 'ack') {
      acks += 1;
      acked = Math.max(acked, message.durableSeq);
    }
    if (message.type === 'welcome') acked = message.durableSeq;
    if (message.type === 'welcome' || message.type === 'ack') pump();
  });
  const hello = { run, stream: agent, epoch: 1, firstSeq: 0, lastSeq: frames };
  return new Promise((resolve) =>
    socket.on('open', () => {
      say({ type: 'hello', version: [2, 0], ...hello });
      resolve({ socket, acked: () => acked, acks: () => acks });
    }),
  );
}

interface SlowOpening {
  url: string;
  release(): void;
  close(): void;
}

/**
 * Stands between a sender and the analyzer, and passes no welcome on before `release`: a fast machine would open the
 * recording within the patience of any sender.
 */
async function slowOpening(): Promise<SlowOpening> {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  let held: (() => void)[] | undefined = [];
  server.on('connection', (near, { headers: { authorization = '' } }) => {
    const far = new WebSocket(`${base.replace('http', 'ws')}/stream`, { headers: { authorization } });
    near.pause();
    far.on('open', () => near.resume());
    near.on('message', (data: Buffer) => far.send(data));
    far.on('message', (data: Buffer) => {
      const isNext = held !== undefined && (held.length > 0 || decodeMessage(data).type === 'welcome');
      if (isNext) held?.push(() => near.send(data));
      else near.send(data);
    });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const)
      one.on('close', () => other.terminate()).on('error', () => undefined);
  });
  await once(server, 'listening');
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    release: () => {
      for (const pass of held ?? []) pass();
      held = undefined;
    },
    close: () => server.close(),
  };
}

async function recordedBytes(run: string, agent: string): Promise<number> {
  let bytes = 0;
  for await (const { stream, message } of readRecording(join(folder, 'runs', run)))
    if (stream === agent && message.type === 'steps') bytes += message.data.length;
  return bytes;
}

describe('an agent that sends as much as it can', { timeout: 180_000 }, () => {
  it('is read at its rate, and another one is recorded meanwhile', async () => {
    await start();
    const eve = await send({ run: RUN, agent: 'ben', frames: RECORDED });
    await until('what is new', () => eve.acked() === RECORDED || undefined);
    const ada = await send({ run: RUN, agent: 'ada', frames: 0 });
    await until('the episode of another', () => ada.acked() === 0 || undefined);
    const [startMs, before] = [performance.now(), eve.acks()];
    const repeated = encodeMessage(frame(1));
    for (let i = 0; i < REPEATS; i += 1) eve.socket.send(repeated);
    await until('the flood', () => eve.acks() > before + 1 || undefined);
    ada.socket.send(encodeMessage(frame(1)));
    await until('a frame of another', () => ada.acked() === 1 || undefined);
    expect(eve.acks() - before, 'the flood is not over').toBeLessThan(REPEATS);
    await until('its end', () => eve.acks() - before === REPEATS || undefined);
    const tookMs = performance.now() - startMs;
    const leastMs = ((REPEATS * FRAME_BYTES - agentBurstBytes - creditBytes) / agentBytesPerS) * 1000;
    expect(leastMs).toBeGreaterThan(4000);
    expect(tookMs).toBeGreaterThan(leastMs);
    const metrics = await (await fetch(`${base}/metrics`)).text();
    const isPaused = /^entrain_refused_total\{cause="rate"\} [1-9]/m.test(metrics);
    // A machine under load may not read as fast as an agent may send, and then there is nothing to pause.
    const isSlow = (REPEATS * FRAME_BYTES) / agentBytesPerS < tookMs / 1000;
    expect(isPaused || isSlow).toBe(true);
    for (const { socket } of [eve, ada]) socket.terminate();
    expect(await recordedBytes(RUN, 'ben')).toBe(RECORDED * FRAME_BYTES);
  });

  it('has every frame acknowledged after a restart in which opening what it sent takes longer than its patience', async () => {
    await kill();
    await start();
    // Its hello is answered long after it gave up waiting and sent the next one.
    const { url, release, close } = await slowOpening();
    const again = await startAgent({
      url,
      folder: join(folder, 'spool'),
      stream: 'ben',
      greetingMs: GREETING_MS,
    });
    expect(again.sender.epoch, 'the answer came in time').toBeGreaterThan(1e9);
    again.sender.append(about(RUN, 'ben'));
    for (let seq = 1; seq <= 3; seq += 1) again.sender.append(frame(seq));
    expect(await again.sender.welcomed(10_000), 'it is told that the recording is being opened').toBe(true);
    release();
    expect(await again.sender.drained(60_000)).toBe(true);
    expect(again.sender.status()).toMatchObject({ ackedSeq: 3, connections: 1 });
    await again.close();
    close();
    expect(await recordedBytes(RUN, 'ben')).toBe((RECORDED + 3) * FRAME_BYTES);
  });

  it('may use up its own share of a run’s room, and not that of the others', async () => {
    await kill();
    await start('--max-agent-gb', '0.02');
    const eve = await send({ run: 'room', agent: 'ben', frames: 40 });
    const share = 0.02e9;
    // Frames are written in groups, and the group that passes the share is refused whole: how much of the share is left
    // then depends on how they were grouped.
    await until('its share to be used up', () => said.includes('has used its budget') || undefined);
    const ada = await send({ run: 'room', agent: 'ada', frames: 4 });
    await until('frames of another', () => ada.acked() === 4 || undefined);
    expect(await recordedBytes('room', 'ben')).toBeLessThanOrEqual(share);
    expect(eve.acked()).toBeLessThan(40);
    for (const { socket } of [eve, ada]) socket.terminate();
  });
});
