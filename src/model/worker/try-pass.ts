/**
 * Tests a model before it is called ready, so that one that cannot run is refused when it is loaded and not in the
 * first episode.
 */
import { EntrainError } from '../../protocol/errors.ts';
import type { ModelParts } from '../dialogue/engine.ts';
import { passFault } from '../runtime/runtime-errors.ts';

const MOST_TOKENS = 32;
const SYSTEM = 'You are somebody who talks with a friend.';

/**
 * Runs the opening of a dialogue and one token after it, the first that finds something in the cache.
 * @throws EntrainError `MODEL_UNSUPPORTED`, `TENSOR_TOO_LARGE` or `STATE_NOT_FINITE`
 */
export async function tryPass({ info, tokenizer, template, openDecoder }: ModelParts): Promise<void> {
  const prompt = tokenizer.encode(template.render(SYSTEM, [], true).text);
  const ids = prompt.slice(0, Math.max(1, Math.min(MOST_TOKENS, info.contextTokens - 1)));
  const layers = Array.from({ length: info.layers + 1 }, (_, layer) => layer);
  try {
    const decoder = openDecoder();
    await decoder.run(ids, layers);
    const { logits } = await decoder.run(ids.slice(-1), layers);
    if (!logits.slice(0, tokenizer.largestId + 1).some(Number.isFinite)) throw noLogits();
  } catch (cause) {
    throw passFault(cause);
  }
}

function noLogits(): EntrainError {
  return new EntrainError(
    'STATE_NOT_FINITE',
    'None of the logits of a first pass is a finite number, expected one for each token; use a float32 export of the model.',
  );
}
