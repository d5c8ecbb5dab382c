/**
 * What an agent with a valid token of its own may try against the real analyzer: bring states into an episode
 * in which it has no role, make it count without end, write under names that are never read again.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { readRecording } from '../../src/journal/read-recording.ts';
import { decodeMessage, encodeMessage } from '../../src/protocol/stream/codec.ts';
import type {
  BranchFrame,
  DataMessage,
  EpisodeFrame,
  StreamMessage,
} from '../../src/protocol/stream/frames.ts';
import { digestOf, mintGrant, type RoleGrant } from '../../src/transport/stream/auth/role-grant.ts';
import type { TokenClaims } from '../../src/transport/stream/auth/access-token.ts';
import { until } from '../fixtures/programs/demo.ts';
import { episodeFrame, turnFrame } from '../fixtures/recordings/recording-fixture.ts';
import { keys, RUN, tokenFor } from '../fixtures/stream/stream-fixture.ts';

let folder: string;
let analyzer: ChildProcess;
let base: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'entrain-attackers-'));
  await writeFile(join(folder, 'public.pem'), keys.publicKeyPem);
  await start();
}, 60_000);
afterAll(async () => {
  analyzer.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function start(): Promise<void> {
  const files = ['--runs', join(folder, 'runs'), '--public-key', join(folder, 'public.pem')];
  analyzer = spawn(process.execPath, ['bin/entrain.js', 'analyzer', '--no-nats', '--port', '0', ...files], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  analyzer.stderr?.on('data', (part: Buffer) => (said += part.toString()));
  base = await until('the analyzer', () => /"url":"(http:[^"]+)"/.exec(said)?.[1]);
}

async function restart(): Promise<void> {
  const ended = new Promise((resolve) => analyzer.once('exit', resolve));
  analyzer.kill('SIGKILL');
  await ended;
  await start();
}

/** Seconds since 1970: the epoch of a sender with an empty spool. */
let epochs = Math.floor(Date.now() / 1000);

interface Sent {
  /** The close code, or `acknowledged` when every frame was acknowledged. */
  end: number | 'acknowledged';
  why: string;
}

/** Streams frames, numbered from 0, in an epoch of their own. */
function send(
  frames: DataMessage[],
  claims: Partial<TokenClaims> & { stream: string },
  epoch = (epochs += 1),
) {
  const { stream, run = RUN } = claims;
  const headers = { authorization: `Bearer ${tokenFor(stream, claims)}` };
  const socket = new WebSocket(`${base.replace('http', 'ws')}/stream`, { headers });
  const say = (message: StreamMessage): void => socket.send(encodeMessage(message));
  let why = '';
  return new Promise<Sent>((resolve) => {
    socket.on('error', (error) => (why = error.message));
    socket.on('open', () =>
      say({ type: 'hello', version: [2, 0], run, stream, epoch, firstSeq: 0, lastSeq: frames.length - 1 }),
    );
    socket.on('message', (data) => {
      const message = decodeMessage(data as Buffer);
      if (message.type === 'bye') why = message.reason;
      if (message.type === 'welcome') frames.forEach((frame, seq) => say({ ...frame, seq }));
      if (message.type === 'ack' && message.durableSeq === frames.length - 1) {
        resolve({ end: 'acknowledged', why });
        socket.close(1000);
      }
    });
    socket.on('close', (code) => resolve({ end: code, why }));
  });
}

async function recorded(run = RUN): Promise<string[]> {
  const found: string[] = [];
  for await (const { stream, message } of readRecording(join(folder, 'runs', run)))
    found.push(`${stream} ${message.type}`);
  return found;
}

const about = (change: Partial<EpisodeFrame> = {}): EpisodeFrame => ({ ...episodeFrame(0, 0), ...change });
const grantOf = (frame: EpisodeFrame, change: Partial<RoleGrant> = {}): string => {
  const place = { kind: 'role', run: RUN, episode: frame.episode, agent: 'ada', role: frame.role } as const;
  const of = { seating: 0, layers: 2, dims: 4, episodeDigest: digestOf(frame) };
  return mintGrant(keys.privateKeyPem, { ...place, ...of, ...change });
};
const granted = (frame: EpisodeFrame, change: Partial<RoleGrant> = {}): EpisodeFrame => ({
  ...frame,
  grant: grantOf(frame, change),
});

const PLAN = { seed: 1, minTurns: 2, groups: 4 };

/** States of an alternative, by default all 1. */
function branchFrame(change: Partial<BranchFrame> = {}, value = 1): BranchFrame {
  const data = new Uint8Array(new Float32Array(8).fill(value).buffer);
  const { tNs } = turnFrame(0, 0);
  const at = { run: RUN, episode: about().episode, turn: 0, kind: 'alternative', k: 1, state: 'end' };
  const tensor = { layers: [1, 2], shape: [1, 2, 4], dtype: 'f32', tNs, crc32: crc32(data), data } as const;
  return { type: 'branch', seq: 0, ...at, ...tensor, shape: [1, 2, 4], layers: [1, 2], ...change };
}

describe('a stream without a role in the episode', { timeout: 60_000 }, () => {
  it('gets no frame recorded where agents stream without a coordinator', async () => {
    const honest = [about(), turnFrame(0, 0), turnFrame(0, 2)];
    expect(await send(honest, { stream: 'ada' })).toMatchObject({ end: 'acknowledged' });
    const poison = [0, 1, 2].map((turn) => ({ ...turnFrame(0, turn), seating: 1 }));
    expect(await send(poison, { stream: 'eve' })).toMatchObject({ end: 4003 });
    expect(await send([about(), ...poison], { stream: 'eve' })).toMatchObject({ end: 4003 });
    const own = about({ order: ['eve', 'ben'] });
    expect(await send([own, ...poison], { stream: 'eve' })).toMatchObject({ end: 4003 });
    const turnsOfAnother = [about({ role: 1 }), turnFrame(0, 0)];
    expect(await send(turnsOfAnother, { stream: 'ben' })).toMatchObject({ end: 4003 });
    expect((await recorded()).filter((line) => line.startsWith('eve'))).toEqual([]);
    expect(await recorded()).not.toContain('ben turn');
  });

  it('gets no frame recorded without the coordinator’s grant where there is a coordinator', async () => {
    const run = 'granted';
    const of = (stream: string) => ({ stream, run, granted: true });
    const frame = about({ run });
    const ada = granted(frame, { run });
    expect(await send([ada, turnFrame(0, 0)], of('ada'))).toMatchObject({ end: 'acknowledged' });
    const attempts: [string, DataMessage[]][] = [
      ['none', [frame, turnFrame(0, 0)]],
      ['that of another agent', [ada, turnFrame(0, 0)]],
      ['of another role', [granted(about({ run, role: 1 }), { run, agent: 'eve', role: 0 })]],
      ['of another run', [granted(frame, { run: 'else', agent: 'eve' })]],
      ['of another episode', [granted(frame, { run, agent: 'eve', episode: 'e9' })]],
      ['for other facts', [{ ...granted(frame, { run, agent: 'eve' }), scenario: 's9' }]],
      ['an access token', [{ ...frame, grant: tokenFor('eve', { run }) }]],
      ['a later seating', [granted(frame, { run, agent: 'eve' }), { ...turnFrame(0, 0), seating: 1 }]],
      [
        'a plan of its own',
        [
          granted(about({ run, plan: { seed: 2, minTurns: 2, groups: 4 } }), {
            run,
            agent: 'eve',
            plan: PLAN,
          }),
        ],
      ],
      ['no plan', [granted(about({ run }), { run, agent: 'eve', plan: PLAN })]],
      ['a branch of a later seating', [granted(frame, { run, agent: 'eve' }), branchFrame({ seating: 1 })]],
      [
        'a reader’s seating',
        [granted(frame, { run, agent: 'eve' }), { ...turnFrame(0, 0), seating: 1_000_000 }],
      ],
    ];
    for (const [what, frames] of attempts)
      expect((await send(frames, of('eve'))).end, what).not.toBe('acknowledged');
    // The same holds for a token that was made by hand.
    expect(await send([frame, turnFrame(0, 0)], { stream: 'eve', run })).toMatchObject({ end: 4003 });
    expect((await recorded(run)).filter((line) => line === 'eve turn')).toEqual([]);
  });

  it('has no role after a restart of the analyzer either, while a stream with a role goes on', async () => {
    await restart();
    const later = [{ ...turnFrame(0, 4) }];
    expect(await send(later, { stream: 'ada' })).toMatchObject({ end: 'acknowledged' });
    expect(await send(later, { stream: 'eve' })).toMatchObject({ end: 4003 });
    expect(await send(later, { stream: 'ada', run: 'granted', granted: true })).toMatchObject({
      end: 'acknowledged',
    });
    expect(await send([about({ run: 'granted' })], { stream: 'eve', run: 'granted' })).toMatchObject({
      end: 4003,
    });
  });
});

describe('a sender that asks too much of the analyzer', { timeout: 60_000 }, () => {
  it('is refused at its first frame, and the analyzer goes on answering', async () => {
    const order = Array.from({ length: 60_000 }, () => 'a');
    const bomb = [about({ order }), ...Array.from({ length: 120 }, (_, turn) => turnFrame(0, turn))];
    expect(await send(bomb, { stream: 'a', run: 'bomb' })).toMatchObject({ end: 4000 });
    const { models } = about();
    const many = Array.from({ length: 6000 }, (_, i) => ({ ...models[0]!, name: `m${i}` }));
    expect(await send([about({ models: many })], { stream: 'ada', run: 'bomb' })).toMatchObject({
      end: 4000,
    });
    const wide = [about({ run: 'bomb' }), { ...turnFrame(0, 0), layers: [1, 3] }];
    expect(await send(wide, { stream: 'ada', run: 'bomb' })).toMatchObject({ end: 4000 });
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
  });

  it('cannot have every score count through a plan without end', async () => {
    const plan = { ...PLAN, minTurns: 200_000_000 };
    expect(await send([about({ plan })], { stream: 'ada', run: 'planned' })).toMatchObject({ end: 4000 });
  });

  it.each([NaN, Infinity])('cannot take the score of a group away by one %d', async (value) => {
    const run = `not-finite-${value}`;
    const reader = new Uint8Array(new Float32Array(8).fill(value).buffer);
    for (const frame of [branchFrame({ run }, value), { ...turnFrame(0, 0), reader }])
      expect(await send([about({ run }), frame], { stream: 'ada', run })).toMatchObject({ end: 4000 });
    expect(await send([about({ run }), branchFrame({ run })], { stream: 'ada', run })).toMatchObject({
      end: 'acknowledged',
    });
  });

  it('cannot make more than 2,000 groups in a run', async () => {
    const [model] = about().models as [EpisodeFrame['models'][0]];
    const frames = Array.from({ length: 1200 }, (_, i) => {
      const models = [{ ...model, name: `m${i}` }, model];
      return about({ run: 'groups', episode: `e${i}`, models });
    });
    const { end, why } = await send(frames, { stream: 'ada', run: 'groups' });
    expect({ end, why }).toEqual({ end: 4000, why: expect.stringContaining('2000 groups') as string });
    expect((await recorded('groups')).length).toBeLessThanOrEqual(1000);
  });
});

describe('the analyzer', { timeout: 60_000 }, () => {
  it.each([9_999_999_999, 10_000_000_000, Date.now(), 2 ** 48])(
    'reads acknowledged frames of epoch %d again',
    async (epoch) => {
      const run = `epoch-${epoch}`;
      const frames = [about({ run }), turnFrame(0, 0)];
      expect(await send(frames, { stream: 'ada', run }, epoch)).toMatchObject({ end: 'acknowledged' });
      expect(await recorded(run)).toEqual(['ada episode', 'ada turn']);
    },
  );

  it('refuses the hello of an epoch that is too large to read again', async () => {
    expect(await send([about({ run: 'far' })], { stream: 'ada', run: 'far' }, 2 ** 50)).toMatchObject({
      end: 4000,
    });
  });
});
