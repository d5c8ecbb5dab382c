/**
 * What listening and speaking share: the turns, the plan made of them, the cache that follows the plan, and the
 * context policy.
 */
import { EntrainError } from '../../protocol/errors.ts';
import type { ChatTemplate, Rendered } from '../text/chat-template.ts';
import type { Turn } from '../text/template-roles.ts';
import type { Decoder } from '../runtime/decoder.ts';
import type { PrefixCache } from './prefix-cache.ts';
import { createPromptCache, type PromptCache } from './prompt-cache.ts';
import { type Chunk, countTokens, planPrompt } from './prompt-plan.ts';
import { createStepPicker, type StepPicker } from '../runtime/step-states.ts';
import type { SentenceEncoder } from '../text/sentence-encoder.ts';
import type { Tokenizer } from '../text/tokenizer.ts';
import type { DialogueOptions, ModelInfo } from '../types.ts';

/** What all dialogues of a model share. */
export interface ModelParts {
  info: ModelInfo;
  tokenizer: Tokenizer;
  template: ChatTemplate;
  /** Makes words safe for a prompt: nothing in them is read as a control token or a mark of the template. */
  escape(text: string): string;
  /** Tokens that end a reply, from the model's configuration or its template. */
  endTokenIds: readonly number[];
  /** Tokens of the template that begin another turn: a model that writes one has ended its reply. */
  turnTokenIds: readonly number[];
  /** Those of the end tokens that end the whole talk. */
  leaveTokenIds: readonly number[];
  /** The tokens of a decoder that yields are computed after those of decoders that do not. */
  openDecoder(yields?: boolean): Decoder;
  /** Without it no prompt prefix is cached for other dialogues. */
  prefixes?: PrefixCache | undefined;
  sentenceEncoder?: SentenceEncoder | undefined;
}

export interface Engine {
  parts: ModelParts;
  options: DialogueOptions;
  turns: Turn[];
  /** Number of turns dropped from the front because the context was full. */
  droppedTurns: number;
  cache: PromptCache;
  picker: StepPicker;
  /** The layers of a turn's state, 1..L. */
  stateLayers: readonly number[];
  /** The chunks of the whole prompt of a reply. */
  plan(turns: readonly Turn[]): Chunk[];
  /** The prompt as text. */
  rendered(turns: readonly Turn[]): Rendered;
}

/** @param yields whether its tokens are computed after those of engines that do not yield */
export function createEngine(parts: ModelParts, options: DialogueOptions, yields = false): Engine {
  const { info, tokenizer, prefixes } = parts;
  const template = options.atMs === undefined ? parts.template : parts.template.at(options.atMs);
  const prompt = keepLast((turns) => {
    const rendered = template.render(options.system, turns, true);
    return { rendered, chunks: planPrompt({ rendered, turns, tokenizer }) };
  });
  return {
    parts,
    options,
    turns: [],
    droppedTurns: 0,
    cache: createPromptCache({ decoder: parts.openDecoder(yields), dims: info.dims, prefixes, yields }),
    picker: createStepPicker(options.steps, info.layers, info.dims),
    stateLayers: Array.from({ length: info.layers }, (_, i) => i + 1),
    plan: (turns) => prompt(turns).chunks,
    rendered: (turns) => prompt(turns).rendered,
  };
}

/**
 * Keeps the last plan: the same turns are planned when they are heard and when the reply begins, when time is short.
 */
function keepLast(make: (turns: readonly Turn[]) => Prompt): (turns: readonly Turn[]) => Prompt {
  let last: { turns: readonly Turn[]; prompt: Prompt } | undefined;
  return (turns) => {
    if (!last || !sameTurns(last.turns, turns)) last = { turns: [...turns], prompt: make(turns) };
    return last.prompt;
  };
}

interface Prompt {
  rendered: Rendered;
  chunks: Chunk[];
}

function sameTurns(a: readonly Turn[], b: readonly Turn[]): boolean {
  return a.length === b.length && a.every(({ who, text }, i) => who === b[i]?.who && text === b[i].text);
}

/** Above this share of the context the oldest turns are dropped, until the second share is reached. */
export const FULL_SHARE = 3 / 4;
const ROOMY = 1 / 2;

/**
 * Keeps the system prompt and drops the oldest turns when the context is nearly full; the last turn is cut where it
 * alone does not fit, since a peer may say what it likes. It depends only on the text, so that a dialogue taken over
 * drops the same turns.
 * @throws EntrainError `CONTEXT_OVERFLOW` if the system prompt alone does not fit
 */
export function fitContext(engine: Engine): void {
  const { contextTokens } = engine.parts.info;
  let tokens = countTokens(engine.plan(engine.turns));
  if (tokens > contextTokens * FULL_SHARE) {
    while (tokens > contextTokens * ROOMY && engine.turns.length > 1) {
      engine.turns.shift();
      engine.droppedTurns++;
      tokens = countTokens(engine.plan(engine.turns));
    }
  }
  if (tokens >= contextTokens) tokens = cutLastTurn(engine);
  if (tokens < contextTokens) return;
  throw new EntrainError(
    'CONTEXT_OVERFLOW',
    `The system prompt takes ${tokens} tokens, expected less than the model's ${contextTokens}; shorten the scenario or maxTokens.`,
  );
}

/**
 * Cuts the words of the last turn so that the prompt takes half of what the context has beside the system prompt.
 * @returns tokens of the prompt
 */
function cutLastTurn(engine: Engine): number {
  const { contextTokens } = engine.parts.info;
  const last = engine.turns.pop();
  const alone = countTokens(engine.plan(engine.turns));
  if (!last) return alone;
  const words = Array.from(last.text);
  const cutTo = (length: number): Turn => ({
    ...last,
    text: words.slice(0, length).join('').trimEnd(),
    said: last.said ?? last.text,
  });
  const tokensOf = (length: number): number => countTokens(engine.plan([...engine.turns, cutTo(length)]));
  let [fits, tooLong] = [0, words.length];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (tokensOf(middle) <= (alone + contextTokens) / 2) fits = middle;
    else tooLong = middle;
  }
  engine.turns.push(cutTo(fits));
  return countTokens(engine.plan(engine.turns));
}
