/**
 * Graphs with quantised weights: what the probe allows to share a pass keeps the bits of each dialogue, whichever
 * kernel multiplies.
 */
import { describe, expect, it } from 'vitest';
import { createDecoder } from '../../../src/model/runtime/decoder.ts';
import { probePasses } from '../../../src/model/runtime/probe-passes.ts';
import { createSharedDecoders, type PassLimits } from '../../../src/model/runtime/shared-decoder.ts';
import { keepBits } from '../../fixtures/model/pass-scripts.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import type { LlamaStyle } from '../../fixtures/onnx/llama-graph.ts';
import { openGraph, type OpenGraph } from '../../fixtures/onnx/open-graph.ts';
import { writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';

const SHAPE = {
  dims: 64,
  hidden: 128,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  vocabulary: 512,
  context: 4096,
};

async function probe(style: LlamaStyle): Promise<{ graph: OpenGraph; limits: PassLimits }> {
  const graph = await openGraph(await writeLlamaFolder(randomWeights(SHAPE, 3), style));
  const { parts, contextTokens } = graph;
  return { graph, limits: await probePasses(parts, { most: 16, contextTokens }) };
}

describe.each<[string, LlamaStyle]>([
  ['int4 weights', { style: 'torch', int4: true }],
  ['int4 weights and products of int8', { style: 'torch', int4: true, accuracy: 4 }],
  ['int8 weights and values quantised at each pass', { style: 'torch', int8: true }],
  ['int4 weights and GroupQueryAttention', { style: 'genai', int4: true }],
])('a graph of %s', (_, style) => {
  it('gives each dialogue the bits of a pass of its own', async () => {
    const { graph, limits } = await probe(style);
    const isShared = limits.rowsPerPass > 1;
    await keepBits(() =>
      isShared ? createSharedDecoders(graph.parts, limits) : () => createDecoder(graph.parts),
    );
  });
});

describe('the probe of shared passes', () => {
  it('allows one dialogue where one scale serves all values of a pass', async () => {
    const { limits } = await probe({ style: 'torch', int8: true });
    expect(limits.rowsPerPass).toBe(1);
  });
});
