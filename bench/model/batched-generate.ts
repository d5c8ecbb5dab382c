/**
 * The alternative for a user: `generate` of transformers.js on the same model folder, with one prompt and with several.
 */
import { Tensor, type PreTrainedModel } from '@huggingface/transformers';
import { openTransformers } from './decode-speed.ts';
import { compare, cpuMs, median } from './measure.ts';
import type { Subject } from './subjects.ts';

/** Tokens of the prompt: as many as the other benchmark's dialogues hold halfway. */
const PROMPT_TOKENS = 165;

/** Measures decode steps on one thread, as the difference to generating a single token. */
export async function measureBatchedGenerate(
  subject: Subject,
  { tokens, rounds, counts }: { tokens: number; rounds: number; counts: readonly number[] },
): Promise<{ dialogues: number; tokensPerSecond: number }[]> {
  const model = await openTransformers(subject);
  const timed = async (dialogues: number): Promise<number> => {
    const short = await generate(model, dialogues, 1);
    return ((await generate(model, dialogues, tokens + 1)) - short) / dialogues;
  };
  const works = Object.fromEntries(counts.map((count) => [String(count), () => timed(count)]));
  const ms = await compare<string>(rounds, works);
  await model.dispose();
  return counts.map((dialogues) => ({
    dialogues,
    tokensPerSecond: (tokens / median(ms[String(dialogues)] as number[])) * 1000,
  }));
}

/** @returns milliseconds of processor time */
async function generate(model: PreTrainedModel, dialogues: number, tokens: number): Promise<number> {
  const shape = [dialogues, PROMPT_TOKENS];
  const size = dialogues * PROMPT_TOKENS;
  const ids = BigInt64Array.from({ length: size }, (_, i) => BigInt(5 + ((i * 31) % 100)));
  const start = cpuMs();
  await model.generate({
    inputs: new Tensor('int64', ids, shape),
    attention_mask: new Tensor('int64', new BigInt64Array(size).fill(1n), shape),
    max_new_tokens: tokens,
    min_new_tokens: tokens,
    do_sample: false,
  });
  return cpuMs() - start;
}
