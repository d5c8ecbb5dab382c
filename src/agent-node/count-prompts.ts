/**
 * Counts how many tokens the prompts of a study take with this agent's tokenizer and chat template, without running
 * the model.
 */
import { askPromptsSchema, parseMessage, type AskedPrompt } from '../protocol/nats-messages.ts';
import type { Model } from '../model/types.ts';
import { systemPrompt } from '../protocol/scenarios/system-prompt.ts';

const SAMPLING = {
  temperature: 1,
  topK: 0,
  topP: 1,
  minP: 0,
  repetitionPenalty: 1,
  stops: [],
};

/** Answers a request; both are JSON text. */
export async function countPrompts(model: Pick<Model, 'info' | 'open'>, text: string): Promise<string> {
  const { prompts } = parseMessage(askPromptsSchema, text, {
    code: 'MESSAGE_INVALID',
    what: 'A question for the lengths of prompts',
  });
  const tokens: number[] = [];
  for (const prompt of prompts) tokens.push(await countPrompt(model, prompt));
  return JSON.stringify({ model: model.info.name, contextTokens: model.info.contextTokens, tokens });
}

async function countPrompt(model: Pick<Model, 'open'>, { script, ...told }: AskedPrompt): Promise<number> {
  // A script is read like a peer's words; its tokens are counted as part of the prompt.
  const system = [systemPrompt(told), script].filter((part) => part !== '').join('\n');
  const dialogue = await model.open({ id: 'measured', system, sampling: SAMPLING, steps: null });
  try {
    return await dialogue.promptTokens();
  } finally {
    await dialogue.close();
  }
}
