/**
 * The decoder under fire: valid messages that were bent, made-up msgpack with every token, and noise. It must answer with a
 * message or with an `EntrainError`, soon, and leave the prototypes as they were.
 */
import { pack, Packr } from 'msgpackr';
import { decodeMessage, encodeMessage } from '../../src/protocol/codec.ts';
import { EntrainError } from '../../src/protocol/errors.ts';
import type { StreamMessage } from '../../src/protocol/frames.ts';
import { packTensor } from '../../src/protocol/tensor.ts';
import type { Outcome, ScenarioOptions } from './scenarios.ts';

const NAME = 'decoder fuzzed';
const SLOWEST_MS = 50;
const BIG_BYTES = 16 * 2 ** 20;

type Random = () => number;

/** `times` seconds of it. */
export async function fuzzDecoder({ times, random }: ScenarioOptions): Promise<Outcome> {
  const seeds = validMessages();
  const before = prototypes();
  const failures = new Set<string>();
  const counts = { inputs: 0, accepted: 0 };
  let slowestMs = 0;
  const endMs = performance.now() + times * 1000;
  while (performance.now() < endMs && failures.size < 10) {
    // now and then the event loop gets its turn, for whatever shares the process
    await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 500; i++) {
      const input = makeInput(seeds, random, i === 0);
      counts.inputs += 1;
      if (tryOne(input, failures)) counts.accepted += 1;
      slowestMs = Math.max(slowestMs, slowness(input, failures));
    }
    if (prototypes() !== before) failures.add(`${NAME}: a prototype was changed`);
  }
  const figures = `${times} s, ${counts.inputs} inputs, ${counts.accepted} of them valid, slowest ${slowestMs.toFixed(1)} ms`;
  return { name: NAME, figures, failures: [...failures] };
}

/** Whether the input is a valid message; anything but an answer or a proper error is a failure. */
function tryOne(input: Uint8Array, failures: Set<string>): boolean {
  try {
    const message = decodeMessage(input);
    if (Object.getPrototypeOf(message) !== Object.prototype)
      failures.add(`${NAME}: a message of another prototype from ${sample(input)}`);
    return true;
  } catch (error) {
    if (!(error instanceof EntrainError)) failures.add(`${NAME}: ${String(error)} from ${sample(input)}`);
    return false;
  }
}

/** Milliseconds for an input; one that seems slow is timed again, for the machine may have been busy with something else. */
function slowness(input: Uint8Array, failures: Set<string>): number {
  let bestMs = Infinity;
  for (let attempt = 0; attempt < 5 && bestMs > SLOWEST_MS / 5; attempt++) {
    const startMs = performance.now();
    tryOne(input, failures);
    bestMs = Math.min(bestMs, performance.now() - startMs);
  }
  if (bestMs > SLOWEST_MS)
    failures.add(`${NAME}: ${bestMs.toFixed(0)} ms for ${input.length} bytes: ${sample(input)}`);
  return bestMs;
}

const sample = (input: Uint8Array): string => Buffer.from(input.subarray(0, 48)).toString('hex');

/** Own names of what hostile keys like `__proto__` would reach. */
function prototypes(): string {
  const all = [Object, Array, Function, String, Number, Uint8Array, Map, Error];
  return all
    .map(({ prototype }) =>
      Reflect.ownKeys(prototype as object)
        .map(String)
        .join(),
    )
    .join(';');
}

function validMessages(): Uint8Array[] {
  const tensor = packTensor(Float32Array.of(1, 2, 3, 4), 'f16');
  const messages: StreamMessage[] = [
    { type: 'hello', version: [1, 0], run: 'r', stream: 's', epoch: 1, firstSeq: 0, lastSeq: 9 },
    { type: 'gap', seq: 4, from: 2, to: 4, reason: 'trimmed' },
    { type: 'clock-reply', id: 1, sentNs: 5, receivedNs: 2n ** 60n, repliedNs: 7 },
    {
      type: 'steps',
      seq: 1,
      episode: 'e1',
      turn: 0,
      step0: 0,
      role: 'speak',
      bytes: [[0, 1]],
      layers: [1, 2],
      shape: [1, 2, 2],
      tNs: 1,
      ...tensor,
    },
  ];
  const plain = new Packr({ useRecords: false });
  const hostile = [
    new Map<string, unknown>([
      ['type', 'bye'],
      ['__proto__', { polluted: 1 }],
      ['constructor', { prototype: { polluted: 1 } }],
      ['reason', 'x'],
    ]),
    { type: 'toString', hasOwnProperty: 1, __defineGetter__: null },
  ];
  const dated = pack({ type: 'bye', reason: new Date(0), at: /x/, error: new Error('x') });
  return [...messages.map(encodeMessage), ...hostile.map((one) => plain.pack(one)), dated];
}

function makeInput(seeds: Uint8Array[], random: Random, big: boolean): Uint8Array {
  if (big) return bigInput(random);
  const kind = random();
  if (kind < 0.6) return bend(pick(seeds, random), random);
  if (kind < 0.9) return Buffer.concat([Buffer.of(0x80 + below(6, random)), madeUp(random, 0)]);
  return noise(1 + below(400, random), random);
}

/** A few flips, cuts, insertions or lengths of a message. */
function bend(message: Uint8Array, random: Random): Uint8Array {
  let bytes = Buffer.from(message);
  for (let times = 1 + below(4, random); times > 0; times--) {
    const at = below(bytes.length + 1, random);
    const kind = below(4, random);
    if (kind === 0 && at < bytes.length) bytes[at] = below(256, random);
    else if (kind === 1) bytes = bytes.subarray(0, at);
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), madeUp(random, 6), bytes.subarray(at)]);
    else bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.max(0, at - below(20, random)))]);
  }
  return bytes;
}

/** Some values with any token there is; lengths are true, too large or the largest there can be. */
function madeUp(random: Random, depth: number): Buffer {
  const parts: Buffer[] = [];
  for (let count = below(6, random); count > 0; count--) {
    const token = below(256, random);
    parts.push(Buffer.of(token));
    if (token >= 0xc4 && token <= 0xdf) parts.push(noise(1 + below(5, random), random, below(3, random)));
    else if (token >= 0xa0 && token < 0xc0)
      parts.push(Buffer.alloc(token & 0x1f, pick(['__proto__', 'type', 'é'], random)));
    if (depth < 12) parts.push(madeUp(random, depth + 4));
  }
  return Buffer.concat(parts);
}

/** What makes a decoder work long: a text, a list or binary data as large as a message may be. */
function bigInput(random: Random): Buffer {
  const start = Buffer.concat([Buffer.from('82a474797065a3627965a6', 'hex'), Buffer.from('reason')]);
  const length = Buffer.alloc(4);
  const size = below(BIG_BYTES, random);
  length.writeUInt32BE(size);
  const text = pick(['a', 'é', '日本', '😀', 'abcé'], random);
  switch (below(3, random)) {
    case 0: {
      const whole = Math.floor(size / Buffer.byteLength(text)) * Buffer.byteLength(text);
      length.writeUInt32BE(whole);
      return Buffer.concat([start, Buffer.of(0xdb), length, Buffer.alloc(whole, text)]);
    }
    case 1:
      return Buffer.concat([start, Buffer.of(0xdd), length, Buffer.alloc(size, below(256, random))]);
    default:
      return Buffer.concat([start, Buffer.of(0xc6), length, Buffer.alloc(size, 1)]);
  }
}

function noise(length: number, random: Random, fill?: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = fill === 0 ? 0 : fill === 1 ? 255 : below(256, random);
  return bytes;
}

const below = (limit: number, random: Random): number => Math.floor(random() * limit);
const pick = <T>(list: readonly T[], random: Random): T => list[below(list.length, random)] as T;
