/** Random valid messages of the stream, for property tests. */
import * as fc from 'fast-check';
import type { StreamMessage } from '../src/protocol/frames.ts';
import { TEXT_FEATURE_DIMS } from '../src/protocol/frames.ts';
import { packTensor } from '../src/protocol/tensor.ts';

const name = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
const text = fc.string({ maxLength: 40, unit: 'grapheme' });
const count = fc.maxSafeNat();
const nanoseconds = fc.oneof(fc.maxSafeNat(), fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n - 1n }));
const values = (length: number): fc.Arbitrary<Float32Array> =>
  fc.float32Array({ minLength: length, maxLength: length, noNaN: true, noDefaultInfinity: true });

const layerNumbers = (count_: number): fc.Arbitrary<number[]> =>
  fc
    .uniqueArray(fc.nat(100), { minLength: count_, maxLength: count_ })
    .map((layers) => layers.sort((a, b) => a - b));

const tensor = fc
  .record({
    layers: fc.integer({ min: 1, max: 3 }),
    dims: fc.integer({ min: 1, max: 6 }),
    steps: fc.integer({ min: 1, max: 4 }),
  })
  .chain(({ layers, dims, steps }) =>
    fc.record({
      size: fc.constant({ layers, dims, steps }),
      numbers: layerNumbers(layers),
      once: values(layers * dims),
      often: values(layers * dims * steps),
      words: values(dims),
      prefer: fc.constantFrom('f16' as const, 'f32' as const),
    }),
  );

const turn = fc.tuple(tensor, name, count, nanoseconds).map(([given, episode, seq, tNs]): StreamMessage => {
  const { layers, dims } = given.size;
  return {
    type: 'turn',
    seq,
    episode,
    turn: seq % 100,
    layers: given.numbers,
    shape: [1, layers, dims],
    ...packTensor(given.once, given.prefer),
    tNs,
    text: new Uint8Array(TEXT_FEATURE_DIMS * 4),
    words: packTensor(given.words, 'f32').data,
  };
});

const steps = fc.tuple(tensor, name, count, nanoseconds).map(([given, episode, seq, tNs]): StreamMessage => {
  const { layers, dims, steps: length } = given.size;
  return {
    type: 'steps',
    seq,
    episode,
    turn: seq % 100,
    step0: seq % 7,
    role: 'listen',
    bytes: Array.from({ length }, (_, i) => [i, i + 1]),
    layers: given.numbers,
    shape: [length, layers, dims],
    ...packTensor(given.often, given.prefer),
    tNs,
  };
});

const episode = fc.record({
  type: fc.constant('episode' as const),
  seq: count,
  run: name,
  episode: name,
  scenario: text,
  pair: text,
  condition: text,
  seed: count,
  order: fc.array(text, { maxLength: 3 }),
  role: fc.nat(3),
  models: fc.array(
    fc.record({
      name: text,
      sha256: fc.constant('ab'),
      layers: fc.integer({ min: 1 }),
      dims: fc.integer({ min: 1 }),
    }),
    { maxLength: 2 },
  ),
});

export const anyMessage: fc.Arbitrary<StreamMessage> = fc.oneof(
  turn,
  steps,
  episode,
  fc.record({
    type: fc.constant('hello' as const),
    version: fc.constant<[number, number]>([1, 0]),
    run: name,
    stream: name,
    epoch: fc.integer({ min: 1 }),
    firstSeq: count,
    lastSeq: fc.integer({ min: -1 }),
  }),
  fc.record({ type: fc.constant('ack' as const), durableSeq: fc.integer({ min: -1 }), credits: count }),
  fc.record({
    type: fc.constant('gap' as const),
    from: fc.nat(5),
    to: fc.constant(9),
    seq: fc.constant(9),
    reason: text,
  }),
  fc.record({ type: fc.constant('clock' as const), id: count, sentNs: nanoseconds }),
  fc.record({ type: fc.constant('bye' as const), reason: text }),
);
