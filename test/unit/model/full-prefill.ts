/** The state that one pass over a whole prompt gives: what listening, in whatever pieces, must come to. */
import type { Turn } from '../../../src/model/chat-template.ts';
import type { OpenModel } from '../../../src/model/open-model.ts';
import { DIALOGUE } from '../../onnx/chat-model.ts';

export const SENTENCES = [
  'Hello there, I would like to buy some apples for my mother, please.',
  'Two coins each? That is too much… could you give me a better price, as a friend?',
  'I have known you for a long time; naïve customers may pay that, 我不会。',
  'Very well 🙂 let us agree on four coins.',
];

export function cosine(a: Float32Array, b: Float32Array): number {
  let dot = 0;
  for (const [i, value] of a.entries()) dot += value * (b[i] ?? 0);
  return dot / (Math.hypot(...a) * Math.hypot(...b));
}

export interface Prefill {
  /** [layers, dims]: of the last token. */
  last: Float32Array[];
  /** [dims]: mean of layer 0. */
  words: Float32Array;
}

/** One pass over the whole prompt. */
export async function fullPrefill(model: OpenModel, turns: Turn[]): Promise<Prefill> {
  const { text } = model.template.render(DIALOGUE.system, turns, true);
  const layers = Array.from({ length: model.info.layers }, (_, i) => i + 1);
  const ids = model.tokenizer.encode(text);
  const pass = await model.openDecoder().run(ids, [0, ...layers]);
  const { dims } = model.info;
  const embeddings = pass.states.get(0) ?? new Float32Array();
  const words = new Float32Array(dims);
  for (const [i, value] of embeddings.entries())
    words[i % dims] = (words[i % dims] ?? 0) + value / ids.length;
  return { last: layers.map((layer) => pass.states.get(layer)?.slice(-dims) ?? new Float32Array()), words };
}
