/** A decoder forked from another holds the same tokens, and neither sees what is run on the other afterwards. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Decoder } from '../../../src/model/runtime/decoder.ts';
import { createSharedDecoders } from '../../../src/model/runtime/shared-decoder.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import { openGraph, type OpenGraph } from '../../fixtures/onnx/open-graph.ts';
import { writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';

const LIMITS = { rowsPerPass: 4, chunks: { rows: 4, segment: 256 } };
const SHAPE = { dims: 64, hidden: 128, layers: 2, heads: 4, keyValueHeads: 2, vocabulary: 96, context: 512 };
const KINDS = ['shared passes', 'a growing cache', 'a cache in one buffer'] as const;
/** Chunks that every decoder has run before it is forked, and then token by token. */
const PROMPT = [ids(40, 1), ids(7, 2)];
const WORDS = ids(21, 3);

describe.each(KINDS)('a fork of a decoder with %s', (kind) => {
  let open: () => Decoder;
  beforeAll(async () => {
    const torch = await openGraph(await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'torch' }));
    open = await opener(kind, torch);
  });

  it.each(['after a chunk', 'after own tokens', 'after a step back'])(
    'gives the same bits as a decoder that ran the same tokens itself, %s',
    async (when) => {
      const history = async (): Promise<Decoder> => {
        const decoder = open();
        for (const chunk of PROMPT) await decoder.run(chunk, []);
        if (when !== 'after a chunk') await say(decoder, WORDS);
        if (when === 'after a step back') decoder.cache.truncate(50);
        return decoder;
      };
      const parent = await history();
      const forks = [parent.fork(), parent.fork()];
      const ways = [ids(30, 4), ids(30, 5), ids(30, 6)];
      const together = await Promise.all([parent, ...forks].map((one, i) => say(one, ways[i] ?? [])));
      for (const [i, way] of ways.entries()) expect(together[i]).toEqual(await say(await history(), way));
    },
  );

  it('continues when the decoder that it was copied from is closed', async () => {
    const parent = open();
    for (const chunk of PROMPT) await parent.run(chunk, []);
    await say(parent, WORDS);
    const fork = parent.fork();
    const other = parent.fork();
    const expected = await say(other, ids(9, 7));
    parent.close();
    expect(await say(fork, ids(9, 7))).toEqual(expected);
  });
});

describe('alternatives of one history', () => {
  it('are rows of the same passes', async () => {
    let passes = 0;
    const { parts } = await openGraph(await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'torch' }));
    const decoder = createSharedDecoders({ ...parts, beforePass: () => passes++ }, LIMITS)();
    await decoder.run(ids(40, 1), []);
    passes = 0;
    await Promise.all([0, 1, 2, 3].map((k) => say(decoder.fork(true), ids(10, k))));
    expect(passes).toBe(10);
  });
});

async function opener(kind: (typeof KINDS)[number], torch: OpenGraph): Promise<() => Decoder> {
  if (kind === 'shared passes') return createSharedDecoders(torch.parts, LIMITS);
  if (kind === 'a growing cache') return () => torch.openDecoder(false);
  const genai = await openGraph(await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'genai' }));
  expect(genai.tapped.sharedCache).toBe(true);
  return () => genai.openDecoder();
}

async function say(decoder: Decoder, tokens: readonly number[]): Promise<Float32Array[]> {
  const seen: Float32Array[] = [];
  for (const id of tokens) {
    const { logits, states } = await decoder.run([id], [1]);
    seen.push(logits.slice(), ...[...states.values()].map((state) => state.slice()));
  }
  return seen;
}

function ids(count: number, seed: number): number[] {
  return Array.from({ length: count }, (_, i) => (i * 31 + seed * 17) % SHAPE.vocabulary);
}
