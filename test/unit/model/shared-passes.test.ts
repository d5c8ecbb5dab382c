import { beforeAll, describe, expect, it } from 'vitest';
import { probePasses } from '../../../src/model/runtime/probe-passes.ts';
import { createSharedDecoders, type PassLimits } from '../../../src/model/runtime/shared-decoder.ts';
import { keepBits } from '../../fixtures/model/pass-scripts.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import type { LlamaStyle } from '../../fixtures/onnx/llama-graph.ts';
import { openGraph, type OpenGraph } from '../../fixtures/onnx/open-graph.ts';
import { writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';

const MOST = 16;

describe.each(['entrain-dialogue-300k', 'entrain-dialogue-8m'])(
  'passes that dialogues of %s share',
  (name) => {
    let graph: OpenGraph;
    let rows: PassLimits;
    beforeAll(async () => {
      graph = await openGraph(`models/${name}`);
      rows = await probePasses(graph.parts, { most: MOST, contextTokens: graph.contextTokens });
    });

    it('may take a token of sixteen dialogues, or a chunk of eight within 256 positions', () => {
      expect(rows).toEqual({ rowsPerPass: MOST, chunks: { rows: 8, segment: 256 } });
    });

    it('give each dialogue the bits of a pass of its own, whatever the other dialogues do', async () => {
      await keepBits(() => createSharedDecoders(graph.parts, rows));
    });

    it('agree with passes over whole prompts to rounding', async () => {
      const ids = Array.from({ length: 40 }, (_, i) => 5 + ((i * 31) % 400));
      const shared = createSharedDecoders(graph.parts, rows);
      const [stepped, other] = [shared(), shared()];
      await Promise.all([stepped.run(ids.slice(0, 17), [0]), other.run(ids.slice(0, 3), [0])]);
      const steps = ids.slice(17).map((id) => async () => stepped.run([id], [0]));
      const side = ids.map((id) => async () => other.run([id], [0]));
      const [last] = await Promise.all([inTurn(steps), inTurn(side)]);
      const whole = await graph.openDecoder().run(ids, [0]);
      const largest = Math.max(
        ...whole.logits.map((value, i) => Math.abs(value - (last?.logits[i] ?? Number.NaN))),
      );
      expect(largest).toBeLessThan(1e-3);
    });
  },
);

describe('the probe of shared passes', () => {
  const shape = {
    dims: 64,
    hidden: 128,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    vocabulary: 96,
    context: 128,
  };
  const probe = async (style: LlamaStyle, keyValueHeads = 2): Promise<[steps: number, chunks: number]> => {
    const path = await writeLlamaFolder(randomWeights({ ...shape, keyValueHeads }, 3), style);
    const graph = await openGraph(path);
    const { contextTokens } = graph;
    const { rowsPerPass, chunks } = await probePasses(graph.parts, { most: MOST, contextTokens });
    return [rowsPerPass, chunks.rows];
  };

  it.each([2, 4])('allows sixteen rows to a graph with a mask and %i key/value heads', async (heads) => {
    expect(await probe({ style: 'torch' }, heads)).toEqual([MOST, 8]);
  });

  it.each<[string, LlamaStyle]>([
    ['that compares keys with positions and ignores masked places', { style: 'torch', mask: 'positions' }],
    ['whose attention writes into the cache that it is given', { style: 'genai' }],
    ['in half precision', { style: 'torch', half: true }],
  ])('allows one row to a graph %s', async (_, style) => {
    expect(await probe(style)).toEqual([1, 1]);
  });
});

async function inTurn<T>(calls: readonly (() => Promise<T>)[]): Promise<T | undefined> {
  let last: T | undefined;
  for (const call of calls) last = await call();
  return last;
}
