/** Adding taps changes nothing but the outputs, and is exact for fused, quantised and branching graphs. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import ort from '../../../src/onnx/runtime.ts';
import { describe, expect, it } from 'vitest';
import type { Decoder } from '../../../src/model/runtime/decoder.ts';
import { openSession } from '../../../src/model/runtime/session.ts';
import { asBits } from '../../../src/model/runtime/kv-cache.ts';
import { toFloat32 } from '../../fixtures/onnx/float16.ts';
import { readModelFolder } from '../../../src/model/folder/model-folder.ts';
import { tapGraph } from '../../../src/model/graph/tap-graph.ts';
import { writeTapped } from '../../../src/model/graph/write-tapped.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import type { LlamaStyle } from '../../fixtures/onnx/llama-graph.ts';
import { temporaryFolder, writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';
import { hasShared, sharedFolder } from '../../fixtures/shared.ts';
import { allLayers, openGraph, relativeError } from '../../fixtures/onnx/open-graph.ts';

const SHAPE = { dims: 64, hidden: 128, layers: 3, heads: 2, keyValueHeads: 1, vocabulary: 96, context: 64 };
const IDS = [7, 92, 78, 32, 74, 55, 14, 82, 40];

const STYLES: LlamaStyle[] = [
  { style: 'torch' },
  { style: 'torch', int4: true },
  { style: 'genai' },
  { style: 'genai', int4: true },
  { style: 'genai', external: 'weights.bin' },
  { style: 'merged' },
  { style: 'merged', fused: true },
  { style: 'torch', half: true },
  { style: 'genai', half: true },
  { style: 'torch', brain: true },
  { style: 'genai', brain: true },
  { style: 'genai', packed: true },
  { style: 'genai', packed: true, int4: true },
  { style: 'genai', packed: true, postNorm: true },
  { style: 'dynamo' },
  { style: 'dynamo', functions: 'operators' },
  { style: 'dynamo', functions: 'layers' },
];

/** Logits of two passes: a prefill and one step. */
async function logitsOf(decoder: Decoder, layers: number[]): Promise<Float32Array[]> {
  const first = (await decoder.run(IDS, layers)).logits.slice();
  return [first, (await decoder.run([5], layers)).logits.slice()];
}

describe.each(STYLES)('a graph as %j', (style) => {
  it('gives bit-identical logits with and without taps', async () => {
    const path = await writeLlamaFolder(randomWeights(SHAPE, 3), style);
    const tapped = await openGraph(path);
    const folder = await readModelFolder(path);
    const weightsFolder = dirname(folder.graph);
    const plain = await openSession(await readFile(folder.graph), {
      provider: 'cpu',
      threads: 1,
      weightsFolder,
    });
    const [prefill, step] = await logitsOf(tapped.openDecoder(), allLayers(tapped.layers));
    expect(plain.outputNames.length).toBe(1 + 2 * SHAPE.layers);
    const expected = await plainLogits(plain, style);
    expect(prefill).toEqual(expected[0]);
    expect(step).toEqual(expected[1]);
  });

  it('has the same states as the plain float32 graph, to the precision of its weights', async () => {
    const weights = randomWeights(SHAPE, 3);
    const { postNorm } = style;
    const plain = await openGraph(
      await writeLlamaFolder(weights, { style: 'torch', ...(postNorm ? { postNorm } : {}) }),
    );
    const other = await openGraph(await writeLlamaFolder(weights, style));
    const expected = await plain.openDecoder().run(IDS, allLayers(3));
    const actual = await other.openDecoder().run(IDS, allLayers(3));
    for (const layer of allLayers(3)) {
      const tolerance = style.int4 ? 0.2 : style.brain ? 3e-2 : style.half ? 5e-3 : 1e-5;
      const states = [actual, expected].map(({ states: map }) => map.get(layer) ?? []) as [
        Float32Array,
        Float32Array,
      ];
      expect(relativeError(...states)).toBeLessThan(tolerance);
    }
  });
});

async function plainLogits(session: ort.InferenceSession, style: LlamaStyle): Promise<Float32Array[]> {
  const int64 = (values: number[]): ort.Tensor =>
    new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
  const merged = style.style === 'merged';
  const empty = style.half
    ? asBits(new ort.Tensor('float16', new Uint16Array(), [1, 1, 0, 32]))
    : new ort.Tensor('float32', new Float32Array(), [1, 1, 0, 32]);
  const slots = session.inputNames.filter((name) => name.startsWith('past'));
  const run = async (ids: number[], past: number, cache: Record<string, ort.Tensor>) =>
    session.run({
      input_ids: int64(ids),
      attention_mask: int64(Array.from({ length: past + ids.length }, () => 1)),
      position_ids: int64(ids.map((_, i) => past + i)),
      ...cache,
      ...(merged ? { use_cache_branch: new ort.Tensor('bool', [past > 0], [1]) } : {}),
    });
  const first = await run(IDS, 0, Object.fromEntries(slots.map((name) => [name, empty])));
  const present = (past: string): ort.Tensor =>
    first[past.replace('past_key_values', 'present')] as ort.Tensor;
  const cache = slots.map((name) => [name, asBits(present(name))] as const);
  const second = await run([5], IDS.length, Object.fromEntries(cache));
  return [first, second].map(({ logits }) =>
    toFloat32(logits as ort.Tensor, (logits as ort.Tensor).size - SHAPE.vocabulary).slice(),
  );
}

describe.skipIf(!hasShared)("ONNX Runtime's fused GPT-2", () => {
  const folder = (): string => sharedFolder('models/tiny-random-gpt2-onnx');

  it('gives the figures that upstream publishes, and names its last sum', async () => {
    const { openDecoder, layers, tapped } = await openGraph(folder());
    expect(tapped.taps.slice(0, 5)).toEqual([
      'EmbedLayerNormalization_0_embedding_sum',
      ...[0, 1, 2, 3].map((i) => `/transformer/h.${i}/Add_1_output_0`),
    ]);
    const decoder = openDecoder();
    let pass = await decoder.run([0, 0, 195, 731], allLayers(layers));
    const said = [];
    for (let i = 0; i < 6; i++) {
      const id = pass.logits.indexOf(Math.max(...pass.logits));
      said.push(id);
      pass = await decoder.run([id], allLayers(layers));
    }
    expect(said).toEqual([731, 114, 114, 114, 114, 114]);
    expect([...pass.states.keys()]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});

describe('a graph written with taps', () => {
  it('needs no tokenizer and has the layers as named outputs', async () => {
    const path = await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'genai' });
    const file = join(await temporaryFolder(), 'tapped.onnx');
    const layers = await writeTapped(path, file);
    const session = await ort.InferenceSession.create(file, { logSeverityLevel: 3 });
    expect(Object.keys(layers)).toEqual(['0', '1', '2', '3']);
    for (const name of Object.values(layers)) expect(session.outputNames).toContain(name);
  });

  it('is not given a second output for a tensor that is an output already', async () => {
    const path = await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'torch' });
    const folder = await readModelFolder(path);
    const once = await tapGraph(folder);
    await mkdir(dirname(folder.graph), { recursive: true });
    await writeFile(folder.graph, once.graph);
    const again = await tapGraph(folder);
    expect(again.taps).toEqual(once.taps);
    expect((await readFile(folder.graph)).length + 2).toBe(again.graph.length);
  });
});

describe('a cache in one buffer', () => {
  it('gives the same as a growing cache, also after rewinding and beyond its first capacity', async () => {
    const shape = { ...SHAPE, context: 1024 };
    const graph = await openGraph(await writeLlamaFolder(randomWeights(shape, 3), { style: 'genai' }));
    expect(graph.tapped.sharedCache).toBe(true);
    const [fixed, growing] = [graph.openDecoder(true), graph.openDecoder(false)];
    const ids = Array.from({ length: 400 }, (_, i) => (i * 31) % 96);
    for (const decoder of [fixed, growing]) {
      await decoder.run(ids.slice(0, 250), []);
      decoder.cache.truncate(100);
      await decoder.run(ids.slice(100, 380), []);
    }
    for (const id of ids.slice(380)) {
      const [one, two] = [await fixed.run([id], [3]), await growing.run([id], [3])];
      expect(relativeError(one.logits, two.logits)).toBeLessThan(1e-6);
      expect(relativeError(one.states.get(3) ?? [], two.states.get(3) ?? [])).toBeLessThan(1e-6);
    }
    expect(fixed.cache.length).toBe(400);
  });
});
