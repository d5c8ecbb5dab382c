/**
 * The same promises on every GPU that this machine has: true states at every layer, and listening that equals a full
 * prefill. Where `entrain doctor` finds none, what is asserted is that it says why, and nothing here is claimed of
 * GPUs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { examineMachine } from '../../../src/model/doctor.ts';
import { openModel, type OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Provider } from '../../../src/model/types.ts';
import { writeChatModel } from '../../fixtures/onnx/chat-model.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import { type OpenGraph, openGraphOn } from '../../fixtures/onnx/open-graph.ts';
import { temporaryFolder, writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';
import { distanceFromCpu, listeningCosine } from '../../fixtures/model/model-agreement.ts';

const { providers } = await examineMachine();
const gpus = providers
  .filter(({ name, works }) => works && name !== 'cpu')
  .map(({ name }) => name as Provider);

if (gpus.length === 0) {
  describe('a machine without a GPU', () => {
    it('is told so by doctor, for each provider', () => {
      const others = providers.filter(({ name }) => name !== 'cpu');
      expect(others.every(({ works, reason, help }) => !works && reason && help)).toBe(true);
      expect(providers.find(({ name }) => name === 'cpu')?.works).toBe(true);
    });
  });
}

const SHAPE = { dims: 32, hidden: 64, heads: 4, keyValueHeads: 2, vocabulary: 96, context: 128 };

/** A GPU adds in another order, and some of them multiply in fewer bits. */
const TOLERANCE = 5e-3;

for (const provider of gpus) {
  describe.each([
    ['torch', 3],
    ['genai', 3],
    // Twice as many slots of the cache as layers: more than one shader may have buffers.
    ['torch', 12],
  ] as const)(`on ${provider}, a %s graph of %i layers`, (style, layers) => {
    let [gpu, cpu]: (OpenModel | undefined)[] = [];
    beforeAll(async () => {
      const folder = await writeChatModel({ tokens: 'bytes', template: 'own', layers, style: { style } });
      const options = { folder, threads: 1, cacheFolder: await temporaryFolder() };
      gpu = await openModel({ ...options, provider });
      cpu = await openModel({ ...options, provider: 'cpu' });
    });
    afterAll(async () => void (await Promise.all([gpu?.release(), cpu?.release()])));

    it('has the states of the CPU at every layer, whole and step by step', async () => {
      if (!gpu || !cpu) throw new Error('no model');
      const { states, logits } = await distanceFromCpu(gpu, cpu);
      for (const distance of [...states, logits]) expect(distance).toBeLessThan(TOLERANCE);
    });

    it('has the bits of a cache in CPU memory, and of the cache no byte is copied there', async () => {
      const path = await writeLlamaFolder(randomWeights({ ...SHAPE, layers }, 3), { style });
      const [kept, copied] = [true, false].map((keepsOutputs) =>
        openGraphOn(provider, path, { preparedFor: provider, keepsOutputs }),
      );
      const [one, two] = [(await kept)?.openDecoder(), (await copied)?.openDecoder()];
      if (!one || !two) throw new Error('no graph');
      for (const length of [0, 7, 5]) {
        for (const decoder of [one, two]) decoder.cache.truncate(length);
        for (const ids of [[5, 6, 7, 8, 9, 10], [11]])
          expect(await one.run(ids, [layers])).toEqual(await two.run(ids, [layers]));
      }
      const { parts } = (await kept) as OpenGraph;
      expect(parts.device !== undefined).toBe(style === 'torch' && provider === 'webgpu');
    });

    it('has the state of a full prefill at each of 16 turns', async () => {
      if (!gpu) throw new Error('no model');
      expect(await listeningCosine(gpu, 16)).toBeGreaterThan(0.9999);
    });
  });
}
