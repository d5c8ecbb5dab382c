/**
 * How likely a model finds words that it is given as its own reply: the sum of the logarithms of the probabilities of
 * their tokens, each behind the prompt and the tokens before it, at temperature 1. What ends the reply does not count.
 */
import { EntrainError } from '../../protocol/errors.ts';
import { addTurn } from './add-turn.ts';
import { type Engine, fitContext } from './engine.ts';
import { type Chunk, countTokens, segmentOf } from './prompt-plan.ts';

/** A turn with words that were given, and what stands before it. */
export interface GivenReply {
  prompt: readonly Chunk[];
  /** One token each. */
  reply: readonly Chunk[];
}

/**
 * Takes the turn with these words, which stand in the dialogue afterwards; no pass is run.
 * @returns undefined if they have no token, or if not all earlier turns fit into the context beside them
 */
export function takeGiven(engine: Engine, text: string): GivenReply | undefined {
  fitContext(engine);
  addTurn(engine, 'self', text);
  const plan = engine.plan(engine.turns);
  const segment = segmentOf(engine.turns.length - 1);
  const reply = plan.filter((chunk) => chunk.segment === segment);
  const { contextTokens } = engine.parts.info;
  if (reply.length === 0 || engine.droppedTurns > 0 || countTokens(plan) > contextTokens) return undefined;
  return { prompt: plan.slice(0, plan.indexOf(reply[0] as Chunk)), reply };
}

/**
 * @returns at most 0
 * @throws EntrainError `STATE_NOT_FINITE`
 */
export async function natsOf({ cache, parts }: Engine, { prompt, reply }: GivenReply): Promise<number> {
  let { logits } = await cache.followTo(prompt, []);
  let nats = 0;
  for (const [at, chunk] of reply.entries()) {
    nats += logProbability(logits.subarray(0, parts.tokenizer.largestId + 1), chunk.ids[0] as number);
    // Nothing stands behind the last token yet; the next reply's prompt runs it.
    if (at < reply.length - 1) ({ logits } = await cache.append(chunk, []));
  }
  return nats;
}

/** Of one token, by the softmax of the logits. */
function logProbability(logits: Float32Array, id: number): number {
  let [largest, sum] = [-Infinity, 0];
  for (const value of logits) largest = Math.max(largest, value);
  for (const value of logits) sum += Math.exp(value - largest);
  const found = (logits[id] ?? Number.NaN) - largest - Math.log(sum);
  if (Number.isFinite(found)) return found;
  throw new EntrainError(
    'STATE_NOT_FINITE',
    'The logits of a token hold NaN or infinity, expected finite numbers; use a float32 export of the model.',
  );
}
