/** Loads a model folder inside the worker: checks files, prepares the graph, opens the session. */
import { join } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import type { ModelParts } from '../dialogue/engine.ts';
import { createPrefixCache } from '../dialogue/prefix-cache.ts';
import { mapGraphIo, type ValueInfo } from '../runtime/graph-io.ts';
import { otherGraphs } from '../folder/find-graph.ts';
import { exists, type ModelFolder, readModelFolder } from '../folder/model-folder.ts';
import { hashModel } from '../folder/model-hash.ts';
import { prepareGraph } from '../graph/prepare-graph.ts';
import { openSentenceEncoder } from '../text/sentence-encoder.ts';
import { tokenBytes } from '../runtime/kv-cache.ts';
import { openDeviceMemory } from '../runtime/device/shorten-cache.ts';
import { openSession } from '../runtime/session.ts';
import { openPasses } from './open-passes.ts';
import { createPatchSession } from './patch-session.ts';
import { tryPass } from './try-pass.ts';
import { openWords } from './open-words.ts';
import type { ModelInfo, ModelOptions } from '../types.ts';

export interface OpenModel extends ModelParts {
  /**
   * Makes it possible to move the states of these layers, besides those asked for before: a second session is opened,
   * with the weights in memory once more.
   */
  openPatches(layers: readonly number[]): Promise<void>;
  release(): Promise<void>;
}

/** @param beforePass called before each pass; it may block */
export async function openModel(options: ModelOptions, beforePass?: () => void): Promise<OpenModel> {
  const folder = await readModelFolder(options.folder, options.graph);
  const { cacheFolder, provider } = options;
  const prepared = await prepareGraph(folder, cacheFolder, { provider });
  const { bytes, taps, externalFiles, sharedCache, weightsFolder, deviceOutputs } = prepared;
  await checkWeightFiles(folder, externalFiles);
  const session = await openSession(bytes, { ...options, weightsFolder, deviceOutputs });
  const io = mapGraphIo(
    session.inputMetadata as readonly ValueInfo[],
    session.outputMetadata as readonly ValueInfo[],
  );
  const { notices, ...spoken } = await openWords(folder, rowsOf(io.logits, folder.config));
  const encoder = options.sentenceEncoder
    ? await openSentenceEncoder(options.sentenceEncoder, options.threads)
    : undefined;
  const hash = await hashModel(contentOf(folder, externalFiles), cacheFolder);
  const device = await openDeviceMemory(io.slots, deviceOutputs, options);
  const { dims } = folder.config;
  const parts = { session, io, states: taps.length, dims, sharedCache, device, beforePass };
  const patches = createPatchSession(folder, { options, parts });
  const { rowsPerPass, openDecoder } = await openPasses(folder, options, { ...parts, patched: patches.held });
  const described = describe(folder, options, hash);
  const info = { ...described, notices, rowsPerPass, cacheTokenBytes: tokenBytes(io.slots) };
  const model: OpenModel = {
    info,
    ...spoken,
    openDecoder,
    openPatches: patches.open,
    prefixes: createPrefixCache({ maxBytes: options.prefixBytes ?? 0, tokenBytes: info.cacheTokenBytes }),
    sentenceEncoder: encoder,
    release: async () => {
      await encoder?.release();
      await patches.release();
      await device?.release();
      await session.release();
    },
  };
  await tryPass(model);
  return model;
}

/** The files that make the model what it is. */
function contentOf({ graph, path }: ModelFolder, weights: readonly string[]): string[] {
  return [graph, ...weights, join(path, 'config.json'), join(path, 'tokenizer.json')];
}

/** Number of logits, which may exceed the number of tokens by padding; such tokens are never chosen. */
function rowsOf({ shape }: ValueInfo, { vocabulary }: ModelFolder['config']): number {
  const stated = shape.at(-1);
  return typeof stated === 'number' ? stated : vocabulary;
}

async function checkWeightFiles({ path, graph }: ModelFolder, files: readonly string[]): Promise<void> {
  for (const file of files) {
    if (await exists(file)) continue;
    const others = await otherGraphs(path, graph);
    const choice =
      others.length > 0 ? `, or choose another graph with --dtype or --file (${others.join(', ')})` : '';
    throw new EntrainError(
      'MODEL_MISSING',
      `There is no ${file}, where the graph keeps weights; fetch it into the graph's folder${choice}.`,
    );
  }
}

function describe(
  folder: ModelFolder,
  options: ModelOptions,
  sha256: string,
): Omit<ModelInfo, 'notices' | 'rowsPerPass' | 'cacheTokenBytes'> {
  const { layers, dims, vocabulary, contextTokens } = folder.config;
  const { provider, threads } = options;
  return { name: folder.name, sha256, layers, dims, vocabulary, contextTokens, provider, threads };
}
