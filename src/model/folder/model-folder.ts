/** Finds and reads the files of a model folder in the hub's layout. It does not interpret what they are for. */
import { access, readFile } from 'node:fs/promises';
import { basename, isAbsolute, join, normalize, resolve } from 'node:path';
import { EntrainError } from '../../protocol/errors.ts';
import { findGraph, type GraphChoice } from './find-graph.ts';
import { hubPlaceOf } from './hub-cache.ts';

export interface ModelConfig {
  layers: number;
  dims: number;
  heads: number;
  keyValueHeads: number;
  headDims: number;
  vocabulary: number;
  contextTokens: number;
  family: string;
  endTokenIds: number[];
}

export interface ModelFolder {
  path: string;
  /** Name of the folder, or of the repository in the hub's cache. */
  name: string;
  /** Absolute path of the graph. */
  graph: string;
  config: ModelConfig;
}

/** What taps need of a folder. */
export interface GraphPlace {
  graph: string;
  config: Pick<ModelConfig, 'layers'>;
}

type Json = Record<string, unknown>;

const DEFAULT_CONTEXT = 2048;

/** @throws EntrainError `MODEL_MISSING`, `MODEL_CORRUPT` or `MODEL_UNSUPPORTED` */
export async function readModelFolder(folder: string, choice?: GraphChoice): Promise<ModelFolder> {
  const path = resolve(folder);
  const config = await readConfigJson(path);
  const generation = await readJsonIfThere(join(path, 'generation_config.json'));
  const graph = await findGraph(path, choice);
  return {
    path,
    name: hubPlaceOf(path)?.name ?? basename(path),
    graph,
    config: readConfig(config, generation),
  };
}

/** The graph of a folder whose configuration needs to give only the number of layers. */
export async function locateGraph(folder: string, choice?: GraphChoice): Promise<GraphPlace> {
  const path = resolve(folder);
  const layers = readLayers(await readConfigJson(path));
  return { graph: await findGraph(path, choice), config: { layers } };
}

/** Folders of the genai builder may have only a genai_config.json. */
async function readConfigJson(path: string): Promise<Json> {
  const file = join(path, 'config.json');
  const genai = await readJsonIfThere(join(path, 'genai_config.json'));
  if ((await exists(file)) || genai['model'] === undefined) return readJson(file);
  const model = genai['model'] as Json;
  const decoder = (model['decoder'] ?? {}) as Json;
  const heads = Number(decoder['num_attention_heads'] ?? decoder['num_key_value_heads']);
  return {
    ...decoder,
    model_type: model['type'],
    vocab_size: model['vocab_size'],
    eos_token_id: model['eos_token_id'],
    max_position_embeddings: model['context_length'],
    num_attention_heads: heads,
    hidden_size: decoder['hidden_size'] ?? heads * Number(decoder['head_size']),
    head_dim: decoder['head_size'],
  };
}

export async function readJson(path: string): Promise<Json> {
  const source = await readText(path);
  try {
    return JSON.parse(source) as Json;
  } catch (cause) {
    throw new EntrainError(
      'MODEL_CORRUPT',
      `${path} is not JSON: ${(cause as Error).message}; fetch the model again.`,
      {
        cause,
      },
    );
  }
}

export async function readJsonIfThere(path: string): Promise<Json> {
  return (await exists(path)) ? readJson(path) : {};
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new EntrainError('MODEL_MISSING', `There is no ${path}; give a model folder as found on the hub.`, {
      cause,
    });
  }
}

export async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function readConfig(json: Json, generation: Json): ModelConfig {
  const layers = readLayers(json);
  const heads = whole(json, ['num_attention_heads', 'n_head', 'n_heads', 'num_heads']);
  const dims = whole(json, ['hidden_size', 'n_embd', 'd_model', 'n_embed', 'model_dim']);
  return {
    layers,
    dims,
    heads,
    keyValueHeads: whole(json, ['num_key_value_heads'], heads),
    headDims: whole(json, ['head_dim'], Math.floor(dims / heads)),
    vocabulary: whole(json, ['vocab_size']),
    contextTokens: whole(
      json,
      ['max_position_embeddings', 'n_positions', 'n_ctx', 'max_seq_len'],
      DEFAULT_CONTEXT,
    ),
    family: typeof json['model_type'] === 'string' ? json['model_type'] : 'unknown',
    endTokenIds: tokenIds(generation['eos_token_id'] ?? json['eos_token_id']),
  };
}

function readLayers(json: Json): number {
  if ('text_config' in json || 'vision_config' in json) throw unsupported('is a multimodal model');
  return whole(json, ['num_hidden_layers', 'n_layer', 'num_layers', 'n_layers', 'num_transformer_layers']);
}

function tokenIds(value: unknown): number[] {
  const list: unknown[] = Array.isArray(value) ? value : [value];
  return list.filter((id): id is number => Number.isInteger(id));
}

function whole(json: Json, names: readonly string[], fallback?: number): number {
  for (const name of names) {
    const value = json[name];
    if (Number.isInteger(value) && (value as number) > 0) return value as number;
  }
  if (fallback !== undefined) return fallback;
  throw new EntrainError(
    'MODEL_CORRUPT',
    `config.json has no positive whole number ${names.join(' or ')}; fetch the model's own config.json.`,
  );
}

function unsupported(what: string): EntrainError {
  return new EntrainError(
    'MODEL_UNSUPPORTED',
    `The model ${what}, expected a plain text decoder; choose another model.`,
  );
}

/** @throws EntrainError `MODEL_UNSAFE` if a weights file named by the graph could be outside the graph's folder */
export function checkExternalFile(file: string): void {
  const clean = normalize(file);
  if (!isAbsolute(file) && !clean.startsWith('..') && !/^[a-zA-Z]:|^\\/.test(file)) return;
  throw new EntrainError(
    'MODEL_UNSAFE',
    `The graph keeps weights in "${file}", expected a file inside the model's own folder; do not use this model.`,
  );
}
