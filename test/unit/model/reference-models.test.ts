/**
 * The trained models, written as each exporter would write them, give the reference figures computed in double
 * precision.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readLlama2c, type LlamaWeights } from '../../fixtures/onnx/llama2c.ts';
import type { LlamaStyle } from '../../fixtures/onnx/llama-graph.ts';
import { writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';
import { hasShared, sharedFolder } from '../../fixtures/shared.ts';
import { allLayers, openGraph } from '../../fixtures/onnx/open-graph.ts';

interface Reference {
  prompt_ids: number[];
  greedy_ids: number[];
  checks: {
    position: number;
    residual_l2: number[];
    residual_first4: number[][];
    top5_logits: [id: number, logit: number][];
  }[];
}

const MODELS = [
  ['stories260k', 'stories260K.bin'],
  ['aidreams260k', 'aidreams260K.bin'],
  ['babyllama-tok105', 'model5000.bin'],
] as const;

async function load(name: string, file: string): Promise<[LlamaWeights, Reference]> {
  const folder = join(sharedFolder('models'), name);
  const bytes = new Uint8Array(await readFile(join(folder, file)));
  const reference = JSON.parse(await readFile(join(folder, 'reference.json'), 'utf8')) as Reference;
  return [readLlama2c(bytes.slice()), reference];
}

const STYLES: LlamaStyle[] = [
  { style: 'torch' },
  { style: 'torch', external: 'model.onnx_data' },
  { style: 'merged' },
  { style: 'genai' },
];

describe.skipIf(!hasShared).each(MODELS)('%s', (name, file) => {
  // GroupQueryAttention takes heads of 16, 32, … only; those of stories260k have 8.
  it.each(STYLES.filter(({ style }) => style !== 'genai' || name !== 'stories260k'))(
    'keeps its reference figures as $style $external',
    async (style) => {
      const [weights, reference] = await load(name, file);
      const { openDecoder, layers, dims } = await openGraph(await writeLlamaFolder(weights, style));
      const decoder = openDecoder();
      const ids = reference.greedy_ids;
      const passes = [];
      for (const id of ids) passes.push(await decoder.run([id], allLayers(layers)));
      for (const check of reference.checks) {
        const pass = passes[check.position];
        for (const [layer, norm] of check.residual_l2.entries()) {
          const state = pass?.states.get(layer) ?? new Float32Array(dims);
          expect(Math.hypot(...state) / norm).toBeCloseTo(1, 4);
          for (const [i, value] of (check.residual_first4[layer] ?? []).entries())
            expect(state[i]).toBeCloseTo(value, 3);
        }
        for (const [id, logit] of check.top5_logits) expect(pass?.logits[id]).toBeCloseTo(logit, 2);
      }
      const prompt = reference.prompt_ids.length;
      const greedy = passes.slice(prompt - 1, -1).map(({ logits }) => logits.indexOf(Math.max(...logits)));
      expect(greedy).toEqual(ids.slice(prompt));
    },
  );
});
