/**
 * A cache that stays in the device's memory gives the bits of one that the CPU holds. Here the graph that is prepared
 * for a device runs on the CPU, where a tensor that was released cannot be used either; `gpu.test.ts` runs it on each
 * GPU.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type ort from '../../../src/onnx/runtime.ts';
import { createDecoder, type Decoder } from '../../../src/model/runtime/decoder.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import { openGraph, type OpenGraph } from '../../fixtures/onnx/open-graph.ts';
import { writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';

const SHAPE = { dims: 64, hidden: 128, layers: 3, heads: 4, keyValueHeads: 2, vocabulary: 96, context: 512 };
const IDS = Array.from({ length: 40 }, (_, i) => (i * 31 + 7) % 96);

describe.each([false, true])('a cache on the device, half precision: %s', (half) => {
  let onDevice: OpenGraph;
  let onCpu: OpenGraph;
  beforeAll(async () => {
    const path = await writeLlamaFolder(randomWeights(SHAPE, 3), { style: 'torch', half });
    onDevice = await openGraph(path, 'webgpu');
    onCpu = await openGraph(path);
  });
  const both = (): [Decoder, Decoder] => [onDevice.openDecoder(), onCpu.openDecoder()];

  it('is used by the graph prepared for WebGPU, which has no other outputs than the wanted', () => {
    expect(onDevice.tapped.deviceOutputs).toEqual(expect.arrayContaining(['logits', 'present.0.key']));
    expect(onDevice.parts.io.wanted?.type).toBe('int64');
    expect(onDevice.parts.io.recent).toBeUndefined();
  });

  it.each([[[0]], [[2, 0]], [[]], [[0, 1, 2, 3]]])(
    'gives logits and the wanted states %j',
    async (layers) => {
      const [one, two] = both();
      for (const ids of [IDS.slice(0, 9), [3], [4], IDS.slice(0, 2)]) {
        const [mine, theirs] = [await one.run(ids, layers), await two.run(ids, layers)];
        expect(mine.logits).toEqual(theirs.logits);
        expect(mine.states).toEqual(theirs.states);
        expect([...mine.states.keys()]).toEqual(layers);
      }
    },
  );

  it.each([40, 39, 17, 1, 0])('rewinds to %i tokens as if no more had come', async (length) => {
    const [one, two] = both();
    for (const decoder of [one, two]) await decoder.run(IDS, []);
    for (const decoder of [one, two]) decoder.cache.truncate(length);
    expect(one.cache.length).toBe(length);
    for (const ids of [[5, 6, 7], [8]]) expect(await one.run(ids, [1])).toEqual(await two.run(ids, [1]));
  });

  it('forks share tokens, and each goes on alone after another is rewound or closed', async () => {
    const [one, two] = both();
    for (const decoder of [one, two]) await decoder.run(IDS, []);
    const [first, second] = [one.fork(), two.fork()];
    const third = one.fork();
    for (const decoder of [one, two]) decoder.cache.truncate(20);
    third.close();
    for (const ids of [[5, 6, 7], [8]]) {
      expect(await one.run(ids, [1])).toEqual(await two.run(ids, [1]));
      expect(await first.run(ids, [1])).toEqual(await second.run(ids, [1]));
    }
    one.close();
    expect(await first.run([9], [1])).toEqual(await second.run([9], [1]));
  });

  it('takes a decode step for no more than logits, wanted states and 4 KB to and from the device', async () => {
    const moved = { bytes: 0 };
    const decoder = createDecoder(watchBytes(onDevice, moved));
    await decoder.run(IDS, []);
    for (const layers of [[0], [0, 3]]) {
      moved.bytes = 0;
      const { logits } = await decoder.run([5], layers);
      const asked = 4 * (logits.length + layers.length * SHAPE.dims);
      expect(moved.bytes).toBeGreaterThanOrEqual(asked);
      expect(moved.bytes).toBeLessThan(asked + 4096);
    }
  });

  it('releases each tensor once it is used no more', async () => {
    const taken = new Set<ort.Tensor>();
    const decoder = createDecoder(watchTensors(onDevice, taken));
    await decoder.run(IDS, []);
    const fork = decoder.fork();
    for (const one of [decoder, fork]) {
      one.cache.truncate(30);
      await one.run([5], []);
      await one.run([6], []);
      one.close();
    }
    expect(taken.size).toBeGreaterThan(10 * SHAPE.layers);
    expect([...taken].filter(({ location }) => location !== 'none')).toEqual([]);
  });
});

type Outputs = ort.InferenceSession.OnnxValueMapType;

/** @param see called with the inputs and outputs of each pass */
function watch({ parts }: OpenGraph, see: (feeds: Outputs, outputs: Outputs) => void): OpenGraph['parts'] {
  const session = Object.create(parts.session) as ort.InferenceSession;
  session.run = (async (feeds: Outputs, fetches: ort.InferenceSession.FetchesType) => {
    const outputs = await parts.session.run(feeds, fetches);
    see(feeds, outputs);
    return outputs;
  }) as ort.InferenceSession['run'];
  return { ...parts, session };
}

/** Counts what is not of the cache, which a device keeps. */
function watchBytes(graph: OpenGraph, moved: { bytes: number }): OpenGraph['parts'] {
  const pasts = graph.parts.io.slots.map(({ past }) => past);
  const kept = new Set([...pasts, ...graph.tapped.deviceOutputs]);
  return watch(graph, (...sides) => {
    for (const [name, value] of sides.flatMap((side) => Object.entries(side)))
      if (!kept.has(name)) moved.bytes += (value.data as Float32Array).byteLength;
  });
}

function watchTensors(graph: OpenGraph, taken: Set<ort.Tensor>): OpenGraph['parts'] {
  const { parts, tapped } = graph;
  const watched = watch(graph, (_, outputs) => {
    for (const name of tapped.deviceOutputs) taken.add(outputs[name] as ort.Tensor);
  });
  const { device } = parts;
  if (!device) throw new Error('nothing stays on the device');
  const shorten: typeof device.shorten = async (tensors, length) => {
    const shorter = await device.shorten(tensors, length);
    for (const tensor of shorter) taken.add(tensor);
    return shorter;
  };
  return { ...watched, device: { ...device, shorten } };
}
