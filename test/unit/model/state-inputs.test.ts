/**
 * What is fed to the input of a layer moves the state of that layer, for whoever reads it; zeros change no bit. A graph
 * without such inputs is the reference.
 */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Decoder } from '../../../src/model/runtime/decoder.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import type { LlamaStyle } from '../../fixtures/onnx/llama-graph.ts';
import { allLayers, openGraph, relativeError, type OpenGraph } from '../../fixtures/onnx/open-graph.ts';
import { writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';

const SHAPE = { dims: 64, hidden: 128, layers: 3, heads: 2, keyValueHeads: 1, vocabulary: 96, context: 64 };
const IDS = [7, 92, 78, 32, 74, 55, 14, 82, 40];
const LAYERS = [1, 2, 3];

const STYLES: LlamaStyle[] = [
  { style: 'torch' },
  { style: 'torch', int4: true },
  { style: 'genai' },
  { style: 'genai', int4: true },
  { style: 'merged' },
  { style: 'merged', fused: true },
  { style: 'torch', half: true },
  { style: 'genai', half: true },
  { style: 'genai', packed: true },
  { style: 'genai', packed: true, postNorm: true },
  { style: 'dynamo' },
  { style: 'dynamo', functions: 'operators' },
  { style: 'dynamo', functions: 'layers' },
];

describe.each(STYLES)('a graph as %j', (style) => {
  it('gives the same bits with zeros at its inputs as without inputs', async () => {
    const path = await writeLlamaFolder(randomWeights(SHAPE, 3), style);
    const [plain, patched] = await bothOf(path);
    expect(await bitsOf(patched.openDecoder())).toEqual(await bitsOf(plain.openDecoder()));
  });

  it('goes on from a moved state as from one that is so', async () => {
    const path = await writeLlamaFolder(randomWeights(SHAPE, 3), style);
    const [plain, patched] = await bothOf(path);
    const tolerance = style.half ? 2e-2 : 1e-4;
    // After one token nothing but its own state enters, so another token's state in its place is all that differs.
    const [own, other] = [
      await plain.openDecoder().run([7], allLayers(3)),
      await plain.openDecoder().run([92], allLayers(3)),
    ];
    for (const layer of LAYERS) {
      const [from, to] = [own.states.get(layer), other.states.get(layer)] as [Float32Array, Float32Array];
      const delta = from.map((value, i) => (to[i] as number) - value);
      const moved = await patched.openDecoder().run([7], allLayers(3), { layer, delta });
      expect(relativeError(moved.logits, own.logits)).toBeGreaterThan(0.02);
      expect(relativeError(moved.logits, other.logits)).toBeLessThan(tolerance);
      for (const above of LAYERS.filter((at) => at >= layer))
        expect(relativeError(moved.states.get(above) ?? [], other.states.get(above) ?? [])).toBeLessThan(
          tolerance,
        );
      for (const below of LAYERS.filter((at) => at < layer))
        expect(moved.states.get(below)).toEqual(own.states.get(below));
    }
  });

  it('moves the last position alone', async () => {
    const path = await writeLlamaFolder(randomWeights(SHAPE, 3), style);
    const [plain, patched] = await bothOf(path);
    const delta = new Float32Array(SHAPE.dims).fill(0.5);
    const was = await plain.openDecoder().run(IDS, LAYERS);
    const moved = await patched.openDecoder().run(IDS, LAYERS, { layer: 1, delta });
    const before = (IDS.length - 1) * SHAPE.dims;
    for (const layer of LAYERS)
      expect(moved.states.get(layer)?.subarray(0, before)).toEqual(
        was.states.get(layer)?.subarray(0, before),
      );
    const last = (states: ReadonlyMap<number, Float32Array>): Float32Array =>
      states.get(1)?.subarray(before) ?? new Float32Array();
    const sum = last(was.states).map((value, i) => value + (delta[i] as number));
    expect(relativeError(last(moved.states), sum)).toBeLessThan(style.half ? 5e-3 : 1e-6);
  });
});

describe.each(['300k', '850k', '4m', '8m'])('the shipped model %s', (name) => {
  it('gives the same bits with zeros at its inputs as without inputs', async () => {
    const path = join(import.meta.dirname, '../../../models', `entrain-dialogue-${name}`);
    const plain = await openGraph(path);
    const patched = await openGraph(path, 'cpu', [Math.ceil(plain.layers / 2), plain.layers]);
    expect(await bitsOf(patched.openDecoder())).toEqual(await bitsOf(plain.openDecoder()));
  });
});

it('refuses to move a layer that has no input', async () => {
  const path = await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'torch' });
  const { openDecoder } = await openGraph(path, 'cpu', [2]);
  const patch = { layer: 1, delta: new Float32Array(SHAPE.dims) };
  await expect(openDecoder().run([7], [], patch)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
});

async function bothOf(path: string): Promise<[OpenGraph, OpenGraph]> {
  return [await openGraph(path), await openGraph(path, 'cpu', LAYERS)];
}

/** Of a prompt and a step: logits and all states. */
async function bitsOf(decoder: Decoder): Promise<unknown[]> {
  const seen: unknown[] = [];
  for (const ids of [IDS, [5]]) {
    const { logits, states } = await decoder.run(ids, LAYERS);
    seen.push(logits.slice(), ...[...states.values()].map((state) => state.slice()));
  }
  return seen;
}
