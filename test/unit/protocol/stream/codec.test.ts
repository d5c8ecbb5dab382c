import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { pack, Packr } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../../src/protocol/stream/codec.ts';
import { EntrainError } from '../../../../src/protocol/errors.ts';
import type { StepsFrame } from '../../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../../src/protocol/stream/tensor.ts';
import { anyMessage } from '../../../fixtures/stream/frame-arbitraries.ts';

const steps: StepsFrame = {
  type: 'steps',
  seq: 3,
  episode: 'e1',
  turn: 2,
  step0: 0,
  role: 'speak',
  bytes: [
    [0, 2],
    [2, 5],
  ],
  layers: [1],
  shape: [2, 1, 3],
  ...packTensor(Float32Array.of(1, 2, 3, 4, 5, 6), 'f16'),
  tNs: 2n ** 53n + 1n,
};

const plain = new Packr({ useRecords: false });

describe('encodeMessage and decodeMessage', () => {
  it('give back every valid message', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        expect(normal(decodeMessage(encodeMessage(message)))).toEqual(normal(message));
      }),
      { numRuns: 500 },
    );
  });

  it('write the bytes shown on the protocol page', () => {
    const bytes = encodeMessage({ type: 'ack', durableSeq: 41, credits: 65536 });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      '83a474797065a361636baa64757261626c6553657129a7637265646974 73ce00010000'.replaceAll(' ', ''),
    );
  });

  it('write bytes that Python’s msgpack reads', () => {
    const script = [
      'import json, sys',
      'sys.path.insert(0, "examples")',
      'from msgpack_lite import unpack',
      'm = unpack(sys.stdin.buffer.read())',
      'print(json.dumps([m["type"], m["seq"], m["bytes"], str(m["tNs"]), m["data"].hex()]))',
    ].join('\n');
    const out = execFileSync('python3', ['-c', script], { input: encodeMessage(steps), encoding: 'utf8' });
    const data = Buffer.from(steps.data).toString('hex');
    expect(JSON.parse(out)).toEqual(['steps', 3, steps.bytes, '9007199254740993', data]);
  });
});

describe('decodeMessage', () => {
  it.each<[string, Uint8Array]>([
    ['nothing', Uint8Array.of()],
    ['an array', plain.pack([1])],
    ['trailing bytes', Buffer.concat([encodeMessage(steps), Buffer.of(0)])],
    ['a message cut short', encodeMessage(steps).subarray(0, -1)],
    ['an unknown type', plain.pack({ type: 'constructor' })],
    ['a date extension', pack({ type: 'bye', reason: new Date(0) })],
    ['a regular expression', plain.pack({ type: 'bye', reason: /x/ })],
    ['a record definition', Buffer.from('d4720f91a474797065a3627965', 'hex')],
    ['the reserved token', Buffer.from('81a474797065c1', 'hex')],
    ['a key that is no string', Buffer.from('8101a474797065', 'hex')],
    ['a bad string', Buffer.from('82a474797065a3627965a6726561736f6ea2c328', 'hex')],
    ['a missing field', plain.pack({ type: 'ack', credits: 1 })],
    ['a fractional count', plain.pack({ type: 'ack', durableSeq: 1.5, credits: 1 })],
    ['a path as stream', plain.pack({ ...hello(), stream: '../x' })],
    ['a shape that is not the data', plain.pack({ ...steps, shape: [2, 1, 4] })],
    ['as many layers as there are not', plain.pack({ ...steps, layers: [1, 2] })],
    ['layers out of order', plain.pack({ ...steps, layers: [2, 1], shape: [1, 2, 3], bytes: [[0, 1]] })],
    ['steps without their bytes', plain.pack({ ...steps, bytes: [[0, 1]] })],
    ['a length that is not there', Buffer.from('81a474797065c6ffffffff', 'hex')],
    ['a million items that are not there', Buffer.from('81a474797065dd000f4240', 'hex')],
    ['more than 1 MiB of text', plain.pack({ type: 'bye', reason: 'x', more: 'é'.repeat(2 ** 19) })],
  ])('refuses %s', (_, bytes) => {
    expect(codeOf(bytes)).toBe('FRAME_INVALID');
  });

  it('refuses deep nesting, without running out of stack', () => {
    const deep = Buffer.concat([Buffer.from('81a474797065', 'hex'), Buffer.alloc(1_000_000, 0x91)]);
    expect(codeOf(deep)).toBe('FRAME_INVALID');
  });

  it('refuses a flipped bit of the data', () => {
    const bytes = Buffer.from(
      plain.pack({ ...steps, data: steps.data.map((b, i) => (i === 4 ? b ^ 1 : b)) }),
    );
    expect(codeOf(bytes)).toBe('FRAME_CHECKSUM');
  });

  it('refuses another major version, and accepts a newer minor one with more fields', () => {
    expect(codeOf(plain.pack({ ...hello(), version: [1, 2] }))).toBe('VERSION_MISMATCH');
    expect(decodeMessage(plain.pack({ ...hello(), version: [2, 7], more: 1 }))).toMatchObject({
      stream: 's',
    });
  });

  it('gives a message or a known error for any bytes, and leaves prototypes unchanged', () => {
    const before = Object.getOwnPropertyNames(Object.prototype).length;
    const mutated = fc
      .tuple(anyMessage, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 6 }))
      .map(([message, edits]) => {
        const bytes = Uint8Array.from(encodeMessage(message));
        for (const [at, value] of edits) bytes[at % Math.min(bytes.length, 256)] = value;
        return bytes;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), (bytes) => {
        const code = codeOf(bytes);
        expect(leastMs(() => codeOf(bytes))).toBeLessThan(50);
        expect(code === undefined || /^(FRAME|VERSION)_/.test(code)).toBe(true);
      }),
      { numRuns: 5000 },
    );
    expect(Object.getOwnPropertyNames(Object.prototype).length).toBe(before);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('does not let a key reach the prototype', () => {
    const bytes = plain.pack({ type: 'bye', reason: 'x', ['__proto_']: { polluted: 1 } });
    const hostile = Buffer.from(bytes.toString('latin1').replace('\xa8__proto_', '\xa9__proto__'), 'latin1');
    codeOf(hostile);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});

const hello = () => ({
  type: 'hello',
  version: [2, 0],
  run: 'r',
  stream: 's',
  epoch: 1,
  firstSeq: 0,
  lastSeq: -1,
});

function codeOf(bytes: Uint8Array): string | undefined {
  try {
    decodeMessage(bytes);
    return undefined;
  } catch (error) {
    if (error instanceof EntrainError) return error.code;
    throw error;
  }
}

/** Binary fields as plain arrays, whole numbers as BigInt: types that msgpack may represent in two ways. */
function normal(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (Array.isArray(value)) return value.map(normal);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, normal(item)]));
  return Number.isInteger(value) ? BigInt(value as number) : value;
}

/** The least of a few attempts, to exclude what else the machine does meanwhile. */
function leastMs(work: () => unknown): number {
  const tryOnce = (): number => {
    const startMs = performance.now();
    work();
    return performance.now() - startMs;
  };
  let least = tryOnce();
  for (let tries = 1; tries < 5 && least >= 50; tries++) least = Math.min(least, tryOnce());
  return least;
}
