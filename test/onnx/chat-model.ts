/** A small random model with tokenizer and chat template, opened in this thread. */
import { openModel, type OpenModel } from '../../src/model/open-model.ts';
import type { DialogueOptions } from '../../src/model/types.ts';
import { randomWeights } from './llama2c.ts';
import type { LlamaStyle } from './llama-graph.ts';
import { byteLevelTokenizer, metaspaceTokenizer, TEMPLATES, tokenizerConfig } from './tokenizers.ts';
import { temporaryFolder, writeLlamaFolder } from './write-folder.ts';

export interface ChatModelChoice {
  tokens: 'bytes' | 'metaspace';
  template: keyof typeof TEMPLATES;
  context?: number;
  layers?: number;
  style?: LlamaStyle;
}

export async function writeChatModel(choice: ChatModelChoice): Promise<string> {
  const { tokens, template, context, layers, style } = choice;
  const files = tokens === 'bytes' ? byteLevelTokenizer(180) : metaspaceTokenizer(120);
  const shape = {
    dims: 48,
    hidden: 96,
    layers: layers ?? 3,
    heads: 3,
    keyValueHeads: 1,
    vocabulary: files.vocabulary,
    context: context ?? 4096,
  };
  return writeLlamaFolder(randomWeights(shape, 7), style ?? { style: 'torch' }, {
    ...files,
    tokenizerConfig: tokenizerConfig(TEMPLATES[template]),
  });
}

export async function openChatModel(choice: ChatModelChoice): Promise<OpenModel> {
  const folder = await writeChatModel(choice);
  return openModel({ folder, provider: 'cpu', threads: 1, cacheFolder: await temporaryFolder() });
}

export const DIALOGUE: DialogueOptions = {
  id: 'test',
  system:
    'You are Ada, who sells apples on the market. Be brief and friendly, and never go below three coins.',
  sampling: { temperature: 1, topK: 0, topP: 0.95, minP: 0, repetitionPenalty: 1.1, stops: [] },
  steps: { layers: null, every: 1 },
};
