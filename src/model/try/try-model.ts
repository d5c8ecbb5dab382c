/** Lets a model take one turn in a given dialogue, for looking at a model before a study. */
import { createEngine, fitContext } from '../dialogue/engine.ts';
import { addTurn } from '../dialogue/add-turn.ts';
import { speakTurn } from '../dialogue/speak-turn.ts';
import { openModel, type OpenModel } from '../worker/open-model.ts';
import type { ModelInfo, ModelOptions, Spoken, TurnState } from '../types.ts';
import type { Sampling } from '../../protocol/study.ts';

export interface TryOptions {
  model: ModelOptions;
  system: string;
  /** What was heard (`peer`) and said (`self`) so far, in order. */
  turns: readonly { who: 'self' | 'peer'; text: string }[];
  maxTokens: number;
  sampling: Sampling;
  /** Unsigned 32-bit integer. */
  seed: number;
}

export interface TryReport {
  info: ModelInfo;
  /** The whole text that the model reads before it answers. */
  prompt: string;
  promptIds: number[];
  /** The reply, as a partner hears it. */
  text: string;
  finish: Spoken['finish'];
  /** Number of tokens of the reply, including those that are not speech. */
  tokens: number;
  /** Euclidean norm of the state that produces the first token, for each layer 1..L. */
  stateNorms: number[];
}

/** @throws EntrainError as `openModel`, and `CONTEXT_OVERFLOW` if the dialogue is too long */
export async function tryModel(options: TryOptions): Promise<TryReport> {
  const model = await openModel(options.model);
  try {
    return await takeTurn(model, options);
  } finally {
    await model.release();
  }
}

async function takeTurn(model: OpenModel, options: TryOptions): Promise<TryReport> {
  const { system, sampling, turns, seed, maxTokens } = options;
  const engine = createEngine(model, { id: 'try', system, sampling, steps: null });
  for (const { who, text } of turns) addTurn(engine, who, text);
  fitContext(engine);
  const prompt = engine.rendered(engine.turns).text;
  const promptIds = engine.plan(engine.turns).flatMap(({ ids }) => ids);
  let stateNorms: number[] = [];
  const { text, finish, tokens } = await speakTurn(engine, {
    seed,
    maxTokens,
    mayLeave: true,
    onState: (state) => (stateNorms = normsOf(state)),
    onToken: () => undefined,
    onSteps: () => undefined,
  });
  return { info: model.info, prompt, promptIds, text, finish, tokens, stateNorms };
}

function normsOf({ layers, data }: TurnState): number[] {
  const dims = data.length / layers.length;
  return layers.map((_, row) => Math.hypot(...data.subarray(row * dims, (row + 1) * dims)));
}
