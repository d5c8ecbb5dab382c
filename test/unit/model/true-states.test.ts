/** The states read off a graph are the model's own: compared with those PyTorch gave for the same ids. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hasShared, sharedFolder } from '../../fixtures/shared.ts';
import { allLayers, openGraph, relativeError } from '../../fixtures/onnx/open-graph.ts';

interface Reference {
  ids: number[];
  hidden: number[][][];
  logits_last: number[];
}

describe.skipIf(!hasShared).each(['llama', 'gpt2', 'phi'])('a %s export', (family) => {
  const folder = (): string => join(sharedFolder('golden/taps'), family);
  const reference = async (): Promise<Reference> =>
    JSON.parse(await readFile(join(folder(), 'reference.json'), 'utf8')) as Reference;

  it.each([
    ['whole', 9],
    ['cut into threes', 3],
    ['token by token', 1],
  ])('has the true state at every layer, %s', async (_, size) => {
    const { ids, hidden, logits_last: logits } = await reference();
    const { openDecoder, layers, dims } = await openGraph(folder());
    const decoder = openDecoder();
    const states = allLayers(layers).map(() => [] as number[]);
    let last = new Float32Array();
    for (let at = 0; at < ids.length; at += size) {
      const pass = await decoder.run(ids.slice(at, at + size), allLayers(layers));
      for (const [layer, state] of pass.states) states[layer]?.push(...state);
      last = pass.logits.slice();
    }
    expect(hidden.length).toBe(layers + 1);
    for (const [layer, rows] of hidden.entries()) {
      expect(states[layer]?.length).toBe(ids.length * dims);
      expect(relativeError(states[layer] ?? [], rows.flat()), `layer ${layer}`).toBeLessThan(1e-5);
    }
    expect(relativeError(last, logits)).toBeLessThan(1e-5);
  });
});
