/** How far a provider is from the CPU on the same model, and listening from a full prefill: what GPUs are held to. */
import type { Turn } from '../../../src/model/chat-template.ts';
import { openDialogue } from '../../../src/model/dialogue.ts';
import type { OpenModel } from '../../../src/model/open-model.ts';
import { DIALOGUE } from '../../onnx/chat-model.ts';
import { cosine, fullPrefill, SENTENCES } from './full-prefill.ts';
import { allLayers } from './open-graph.ts';

/** Largest differences, each relative to the largest value that the CPU has there. */
export interface Distance {
  /** By layer, 0..L: the worst pass. */
  states: number[];
  logits: number;
}

/** Sentences in one pass, then three tokens step by step. */
export async function distanceFromCpu(model: OpenModel, cpu: OpenModel): Promise<Distance> {
  const layers = allLayers(cpu.info.layers);
  const ids = cpu.tokenizer.encode(SENTENCES.join(' '));
  const [one, two] = [model.openDecoder(), cpu.openDecoder()];
  const distance: Distance = { states: layers.map(() => 0), logits: 0 };
  for (const part of [ids.slice(0, -3), ...ids.slice(-3).map((id) => [id])]) {
    const [actual, expected] = [await one.run(part, layers), await two.run(part, layers)];
    distance.states = distance.states.map((worst, layer) =>
      Math.max(worst, ofLargest(actual.states.get(layer), expected.states.get(layer))),
    );
    distance.logits = Math.max(distance.logits, ofLargest(actual.logits, expected.logits));
  }
  return distance;
}

/** @returns infinity where anything is missing or no number */
export function ofLargest(actual: ArrayLike<number> = [], expected: ArrayLike<number> = []): number {
  let worst = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    worst = Math.max(worst, Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? 0)));
    largest = Math.max(largest, Math.abs(expected[i] ?? 0));
  }
  const comparable = actual.length === expected.length && expected.length > 0 && !Number.isNaN(worst);
  return comparable ? worst / largest : Number.POSITIVE_INFINITY;
}

/** The smallest cosine, over `turns` turns and all layers, between the state after listening and that of a full prefill. */
export async function listeningCosine(model: OpenModel, turns: number): Promise<number> {
  const dialogue = openDialogue(model, DIALOGUE);
  const said: Turn[] = [];
  const { dims } = model.info;
  let smallest = 1;
  for (let turn = 0; turn < turns; turn += 1) {
    const text = SENTENCES[turn % SENTENCES.length] ?? '';
    for (const end of [text.length / 3, text.length])
      await dialogue.hear(text.slice(0, end), () => undefined);
    await dialogue.heard(text, () => undefined);
    said.push({ who: 'peer', text });
    const { data } = await dialogue.turnState();
    const { last } = await fullPrefill(model, said);
    for (const [i, layer] of last.entries())
      smallest = Math.min(smallest, cosine(data.subarray(i * dims, (i + 1) * dims), layer));
    await dialogue.recall('Very well.');
    said.push({ who: 'self', text: 'Very well.' });
  }
  return smallest;
}
