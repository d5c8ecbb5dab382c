import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { checkBounds, isWithinBounds, MAX_NUMBER } from '../../../../src/protocol/stream/bounds.ts';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import {
  TEXT_FEATURE_DIMS,
  type BranchFrame,
  type EpisodeFrame,
  type StreamMessage,
  type TurnFrame,
} from '../../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../../src/protocol/stream/tensor.ts';
import { episodeFrame, turnFrame } from '../../../fixtures/recordings/recording-fixture.ts';
import { stepsFrame } from '../../../fixtures/stream/stream-fixture.ts';

const branch: BranchFrame = {
  type: 'branch',
  seq: 3,
  run: 'r',
  episode: 'e',
  turn: 2,
  kind: 'perturbation',
  k: 1,
  state: 'end',
  layer: 4,
  size: 0.5,
  layers: [1],
  shape: [1, 1, 2],
  ...packTensor(Float32Array.of(1, -2), 'f16'),
  tNs: 7,
};

/** Bytes that a sender in another language may write. */
const WIRE: [name: string, hex: string, message: StreamMessage][] = [
  [
    'hello',
    '88a474797065a568656c6c6fa776657273696f6e920200a2696402a372756ea172a673747265616da173a565706f636801a866697273745365710' +
      '0a76c61737453657109',
    { type: 'hello', version: [2, 0], id: 2, run: 'r', stream: 's', epoch: 1, firstSeq: 0, lastSeq: 9 },
  ],
  ['opening', '82a474797065a76f70656e696e67a568656c6c6f02', { type: 'opening', hello: 2 }],
  [
    'welcome',
    '85a474797065a777656c636f6d65a568656c6c6f02a96c61737445706f636800aa64757261626c65536571ffa7637265646974730a',
    { type: 'welcome', hello: 2, lastEpoch: 0, durableSeq: -1, credits: 10 },
  ],
];

describe('the wire format of version 2.0', () => {
  it.each(WIRE)('encodes %s as these bytes', (_, hex, message) => {
    expect(decodeMessage(Buffer.from(hex, 'hex'))).toEqual(message);
    expect(Buffer.from(encodeMessage(message)).toString('hex')).toBe(hex);
  });

  it('has branch frames as the vector on the protocol page, whose checksum is that of its data', async () => {
    const page = await readFile('docs/protocol.md', 'utf8');
    const [, block = ''] = /^`\{type: "branch"[^`]*` is\n\n((?: {4}[0-9a-f]+\n)+)/m.exec(page) ?? [];
    const hex = block.replaceAll(/\s/g, '');
    const data = Buffer.from('003c00c0', 'hex');
    const shown: BranchFrame = {
      type: 'branch',
      seq: 3,
      run: 'r',
      episode: 'e',
      turn: 2,
      kind: 'alternative',
      k: 1,
      state: 'end',
      layers: [1],
      shape: [1, 1, 2],
      dtype: 'f16',
      data,
      crc32: 2538668376,
      tNs: 7,
    };
    expect(decodeMessage(Buffer.from(hex, 'hex'))).toEqual(shown);
    expect(Buffer.from(encodeMessage(shown)).toString('hex')).toBe(hex);
    expect(packTensor(Float32Array.of(1, -2), 'f16')).toMatchObject({ crc32: shown.crc32 });
  });

  it('has a message type of its own for branches, with or without a changed state', () => {
    expect(decodeMessage(encodeMessage(branch))).toMatchObject({ type: 'branch', layer: 4, size: 0.5, k: 1 });
    const { layer: _layer, size: _size, ...plain } = branch;
    expect(decodeMessage(encodeMessage(plain))).toMatchObject({ type: 'branch', kind: 'perturbation' });
    expect(() => decodeMessage(encodeMessage({ ...branch, shape: [1, 2, 1] }))).toThrow(/layers/);
    expect(() => decodeMessage(encodeMessage({ ...branch, text: new Uint8Array(8) }))).toThrow(/text/);
  });

  it('has step roles for reasoning and control words besides speech', () => {
    for (const role of ['speak', 'listen', 'read', 'think', 'control'] as const)
      expect(decodeMessage(encodeMessage({ ...stepsFrame(1), seq: 1, role }))).toMatchObject({ role });
    const other = { ...stepsFrame(1), seq: 1, role: 'sing' as 'speak' };
    expect(() => decodeMessage(encodeMessage(other))).toThrow(/think, control/);
  });

  it('refuses a peer of version 1 by name', () => {
    const hello = {
      type: 'hello',
      version: [1, 2],
      run: 'r',
      stream: 's',
      epoch: 1,
      firstSeq: 0,
      lastSeq: -1,
    };
    expect(() => decodeMessage(encodeMessage(hello as StreamMessage))).toThrow(
      /speaks version 1 of the stream protocol/,
    );
  });
});

const episode = (change: Partial<EpisodeFrame>): EpisodeFrame => ({ ...episodeFrame(0, 0), ...change });
const turn = (change: Partial<TurnFrame>): TurnFrame => ({ ...turnFrame(1, 0), ...change });
const [model] = episodeFrame(0, 0).models as [EpisodeFrame['models'][0]];
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `a${i}`);
const nan = (values: number) => packTensor(new Float32Array(values).fill(Number.NaN), 'f32');

describe('checkBounds', () => {
  it.each<[string, StreamMessage]>([
    ['an episode of 60,000 agents', episode({ order: names(60_000), models: [model, model] })],
    ['an episode of nine agents', episode({ order: names(9), models: Array<typeof model>(9).fill(model) })],
    ['an episode of one agent', episode({ order: ['a'], models: [model] })],
    ['an episode with more models than agents', episode({ models: [model, model, model] })],
    ['an agent that has no name', episode({ order: ['ada', 'b n'] })],
    ['a role that nobody has', episode({ role: 2 })],
    ['a model of a million dimensions', episode({ models: [model, { ...model, dims: 1_000_000 }] })],
    ['a condition as long as a page', episode({ condition: 'x'.repeat(200) })],
    ['a turn that no talk reaches', turn({ turn: 1_000_000 })],
    ['states that are no numbers', turn({ ...nan(8) })],
    ['text features that are no numbers', turn({ text: nan(TEXT_FEATURE_DIMS).data })],
    ['steps that are no numbers', { ...stepsFrame(1), seq: 1, ...nan(64) }],
    ['a sequence number beyond all names of files', turn({ seq: MAX_NUMBER + 2 })],
    ['a branch beyond all alternatives', { ...branch, k: 65 }],
    [
      'an epoch beyond all names of files',
      { type: 'hello', version: [2, 0], run: 'r', stream: 's', epoch: 2 ** 52, firstSeq: 0, lastSeq: -1 },
    ],
  ])('refuses %s', (_, message) => {
    expect(() => checkBounds(message)).toThrow(/out of bounds/);
    expect(isWithinBounds(message)).toBe(false);
  });

  it('allows eight agents with the longest names, and any finite float16', () => {
    const long = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(64));
    const eight = { order: long, models: Array<typeof model>(8).fill(model), pair: long.join('+'), role: 7 };
    expect(isWithinBounds(decodeMessage(encodeMessage(episode(eight))))).toBe(true);
    expect(
      isWithinBounds(turn({ ...packTensor(Float32Array.of(65504, -65504, 0, 1, 2, 3, 4, 5), 'f16') })),
    ).toBe(true);
    expect(
      isWithinBounds(turn({ ...packTensor(Float32Array.of(3e38, -3e38, 0, 1, 2, 3, 4, 5), 'f32') })),
    ).toBe(true);
  });
});

describe('what a turn says of the talk before it', () => {
  it.each<NonNullable<TurnFrame['talk']>>([
    { dropped: 0 },
    { dropped: 12, digest: 0, cut: false },
    { dropped: 0, digest: 2 ** 48 - 1, cut: true },
  ])('may be %j, and stays out where a sender does not say it', (talk) => {
    expect(decodeMessage(encodeMessage(turn({ talk })))).toMatchObject({ talk });
    expect(decodeMessage(encodeMessage(turn({})))).not.toHaveProperty('talk');
  });

  it.each([
    null,
    3,
    {},
    { dropped: -1 },
    { dropped: 0, digest: 1 },
    { dropped: 0, cut: true },
    { dropped: 0.5 },
  ])('is refused as %j', (talk) => {
    const wrong = turn({ talk: talk as unknown as NonNullable<TurnFrame['talk']> });
    expect(() => decodeMessage(encodeMessage(wrong))).toThrow(/field "talk" of a turn message/);
  });
});
