/** Decoding beside llama.cpp, on the same weights in float32. */
import { join } from 'node:path';
import { temporaryFolder } from '../test/fixtures/onnx/write-folder.ts';
import { writeGguf } from './model/gguf.ts';
import { findLlamaCpp, measureLlamaCpp } from './model/llama-cpp.ts';
import { measureSharedPasses } from './model/shared-passes.ts';
import { LARGE, LIKE_8M, writeRandom } from './model/subjects.ts';

export const title = 'Many conversations in one pass, beside llama.cpp';

const COUNTS = [1, 8];
/** As our dialogues hold in the mean. */
const HELD = 165;

export async function run({ rounds = 3, tokens = 24, shapes = [LIKE_8M, LARGE] } = {}): Promise<{
  table: string[][];
  notes: string[];
  isForPage: boolean;
}> {
  const llamaCpp = await findLlamaCpp();
  if (!llamaCpp) return { table: [], notes: [HOW], isForPage: false };
  const table = [
    ['model', 'dialogues', 'ours, all layers tapped', 'llama.cpp, logits alone', 'ours by theirs'],
  ];
  for (const { name, ...shape } of shapes) {
    const { folder, weights } = await writeRandom(shape);
    const effort = { tokens, rounds, counts: COUNTS };
    const ours = await measureSharedPasses({ name, folder, shareWeights: false }, effort);
    const file = join(await temporaryFolder(), 'model.gguf');
    await writeGguf(file, weights);
    const theirs = await measureLlamaCpp(llamaCpp, { file, held: HELD, ...effort });
    for (const { dialogues, tokensPerSecond } of theirs) {
      const own = ours.shared.find((one) => one.dialogues === dialogues)?.tokensPerSecond ?? Number.NaN;
      const speed = (value: number): string => `${value.toFixed(0)} tokens/s`;
      const ratio = (own / tokensPerSecond).toFixed(2);
      table.push([name, String(dialogues), speed(own), speed(tokensPerSecond), ratio]);
    }
  }
  return { table, notes: NOTES, isForPage: true };
}

const HOW =
  'node-llama-cpp is not installed: `npm install --no-save --omit=optional node-llama-cpp @node-llama-cpp/linux-x64`, or name a folder of it by ENTRAIN_LLAMA_CPP.';
const NOTES = [
  'Random weights of the models’ shapes, float32 on both sides, one thread, processor time; greedy decoding behind 165 tokens there, given tokens behind 110 to 205 here. llama.cpp gives no states, and keeps keys and values in half precision.',
  'With one dialogue a pass of ours runs some 400 small operators, which took more than half of its time in the runtime’s own profile of the 8m; norms and rotations as one operator each are the next step.',
];
