/**
 * The same promises on every GPU that this machine has: true states at every layer, and listening that equals a full prefill.
 * Where `entrain doctor` finds none, what is asserted is that it says why, and nothing here is claimed of GPUs.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDialogue } from '../../../src/model/dialogue.ts';
import { examineMachine } from '../../../src/model/doctor.ts';
import { openModel, type OpenModel } from '../../../src/model/open-model.ts';
import type { Provider } from '../../../src/model/types.ts';
import type { Turn } from '../../../src/model/chat-template.ts';
import { DIALOGUE, writeChatModel } from '../../onnx/chat-model.ts';
import { temporaryFolder } from '../../onnx/write-folder.ts';
import { cosine, fullPrefill, SENTENCES } from './full-prefill.ts';
import { allLayers, relativeError } from './open-graph.ts';

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

/** A GPU adds in another order, and some of them multiply in fewer bits. */
const TOLERANCE = 5e-3;

for (const provider of gpus) {
  describe.each(['torch', 'genai'] as const)(`on ${provider}, a %s graph`, (style) => {
    let [gpu, cpu]: (OpenModel | undefined)[] = [];
    beforeAll(async () => {
      const folder = await writeChatModel({ tokens: 'bytes', template: 'own', style: { style } });
      const options = { folder, threads: 1, cacheFolder: await temporaryFolder() };
      gpu = await openModel({ ...options, provider });
      cpu = await openModel({ ...options, provider: 'cpu' });
    });
    afterAll(async () => void (await Promise.all([gpu?.release(), cpu?.release()])));

    it('has the states of the CPU at every layer, whole and step by step', async () => {
      if (!gpu || !cpu) throw new Error('no model');
      const layers = allLayers(gpu.info.layers);
      const ids = gpu.tokenizer.encode(SENTENCES.join(' '));
      const [one, two] = [gpu.openDecoder(), cpu.openDecoder()];
      for (const part of [ids.slice(0, -3), ...ids.slice(-3).map((id) => [id])]) {
        const [actual, expected] = [await one.run(part, layers), await two.run(part, layers)];
        for (const layer of layers) {
          const states = [actual, expected].map((pass) => pass.states.get(layer) ?? new Float32Array());
          expect(relativeError(states[0] ?? [], states[1] ?? [])).toBeLessThan(TOLERANCE);
        }
        expect(relativeError(actual.logits, expected.logits)).toBeLessThan(TOLERANCE);
      }
    });

    it('has the state of a full prefill at each of 16 turns', async () => {
      if (!gpu) throw new Error('no model');
      const dialogue = openDialogue(gpu, DIALOGUE);
      const turns: Turn[] = [];
      const { dims } = gpu.info;
      for (let turn = 0; turn < 16; turn += 1) {
        const text = SENTENCES[turn % SENTENCES.length] ?? '';
        for (const end of [text.length / 3, text.length])
          await dialogue.hear(text.slice(0, end), () => undefined);
        await dialogue.heard(text, () => undefined);
        turns.push({ who: 'peer', text });
        const { data } = await dialogue.turnState();
        const { last } = await fullPrefill(gpu, turns);
        for (const [i, layer] of last.entries())
          expect(cosine(data.subarray(i * dims, (i + 1) * dims), layer)).toBeGreaterThan(0.9999);
        await dialogue.recall('Very well.');
        turns.push({ who: 'self', text: 'Very well.' });
      }
    });
  });
}
