/** Loads a model folder inside the worker: files checked, graph prepared, session opened. */
import { dirname, join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { loadChatTemplate } from '../text/chat-template.ts';
import { createDecoder } from '../runtime/decoder.ts';
import type { ModelParts } from '../dialogue/engine.ts';
import { mapGraphIo, type ValueInfo } from '../runtime/graph-io.ts';
import { exists, type ModelFolder, readModelFolder } from '../folder/model-folder.ts';
import { hashModel } from '../folder/model-hash.ts';
import { prepareGraph } from '../graph/prepare-graph.ts';
import { openSentenceEncoder } from '../text/sentence-encoder.ts';
import { openSession } from '../runtime/session.ts';
import { loadTokenizer, type Tokenizer } from '../text/tokenizer.ts';
import type { ModelInfo, ModelOptions } from '../types.ts';

export interface OpenModel extends ModelParts {
  release(): Promise<void>;
}

/** @param beforePass called before each pass; it may block */
export async function openModel(options: ModelOptions, beforePass?: () => void): Promise<OpenModel> {
  const folder = await readModelFolder(options.folder);
  const tokenizer = await loadTokenizer(folder.path);
  const template = await loadChatTemplate(folder.path, tokenizer);
  const { cacheFolder, provider } = options;
  const { bytes, taps, externalFiles, sharedCache } = await prepareGraph(folder, cacheFolder, provider);
  await checkWeightFiles(externalFiles);
  const session = await openSession(bytes, { ...options, weightsFolder: dirname(folder.graph) });
  const io = mapGraphIo(
    session.inputMetadata as readonly ValueInfo[],
    session.outputMetadata as readonly ValueInfo[],
  );
  checkVocabulary(tokenizer, io.logits, folder.config);
  const files = [
    folder.graph,
    ...externalFiles,
    join(folder.path, 'config.json'),
    join(folder.path, 'tokenizer.json'),
  ];
  const encoder = options.sentenceEncoder
    ? await openSentenceEncoder(options.sentenceEncoder, options.threads)
    : undefined;
  const info = describe(folder, options, await hashModel(files, cacheFolder));
  return {
    info,
    tokenizer,
    template,
    ...endTokens(folder, tokenizer),
    openDecoder: () =>
      createDecoder({ session, io, states: taps.length, dims: info.dims, sharedCache, beforePass }),
    sentenceEncoder: encoder,
    release: async () => {
      await encoder?.release();
      await session.release();
    },
  };
}

/** Logits may be more than there are tokens, padded to a round number; such tokens are never chosen. */
function checkVocabulary(
  tokenizer: Tokenizer,
  logits: ValueInfo,
  { vocabulary }: ModelFolder['config'],
): void {
  const stated = logits.shape.at(-1);
  const rows = typeof stated === 'number' ? stated : vocabulary;
  if (tokenizer.largestId < rows) return;
  throw new EntrainError(
    'VOCABULARY_MISMATCH',
    `The tokenizer knows ids up to ${tokenizer.largestId}, the model only ${rows} tokens; put the model's own tokenizer.json into its folder.`,
  );
}

async function checkWeightFiles(files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (await exists(file)) continue;
    throw new EntrainError(
      'MODEL_MISSING',
      `There is no ${file}, where the graph keeps weights; fetch it into the graph's folder.`,
    );
  }
}

function describe(folder: ModelFolder, options: ModelOptions, sha256: string): ModelInfo {
  const { layers, dims, vocabulary, contextTokens } = folder.config;
  const { provider, threads } = options;
  return { name: folder.name, sha256, layers, dims, vocabulary, contextTokens, provider, threads };
}

const LEAVE = '<|leave|>';

function endTokens(
  folder: ModelFolder,
  tokenizer: Tokenizer,
): Pick<ModelParts, 'endTokenIds' | 'leaveTokenIds'> {
  const eos = tokenizer.idOf(tokenizer.specials['eos_token'] ?? '');
  const ends = new Set([...folder.config.endTokenIds, ...(eos === undefined ? [] : [eos])]);
  const leave = tokenizer.idOf(LEAVE);
  const leaves = leave !== undefined && ends.has(leave) ? [leave] : [];
  return { endTokenIds: [...ends], leaveTokenIds: leaves };
}
