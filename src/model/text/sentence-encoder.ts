/**
 * A sentence encoder from the hub (`config.json`, `tokenizer.json`, `onnx/model.onnx`): a text as one vector, the
 * mean of its tokens' last hidden states, scaled to unit length.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as HubTokenizer } from '@huggingface/tokenizers';
import ort from '../../onnx/runtime.ts';
import { EntrainError } from '../../protocol/errors.ts';
import { exists, readJson, readJsonIfThere } from '../folder/model-folder.ts';
import { openSession } from '../runtime/session.ts';

export interface SentenceEncoder {
  dims: number;
  /** [dims], unit length; all zero for a text without tokens. A text that is too long is read in parts. */
  encode(text: string): Promise<Float32Array>;
  release(): Promise<void>;
}

interface Parts {
  folder: string;
  session: ort.InferenceSession;
  output: string;
  dims: number;
}

const INPUTS = ['input_ids', 'attention_mask', 'token_type_ids'];
const OUTPUTS = ['last_hidden_state', 'token_embeddings'];
const FILES = ['config.json', 'tokenizer.json', 'onnx/model.onnx'];
const MOST_TOKENS = 512;

/** @throws EntrainError `MODEL_MISSING`, `MODEL_CORRUPT`, `MODEL_UNSUPPORTED` */
export async function openSentenceEncoder(folder: string, threads: number): Promise<SentenceEncoder> {
  for (const file of FILES) if (!(await exists(join(folder, file)))) throw lacks(folder, file);
  const config = await readJson(join(folder, 'config.json'));
  const settings = await readJsonIfThere(join(folder, 'tokenizer_config.json'));
  const tokenizer = new HubTokenizer(await readJson(join(folder, 'tokenizer.json')), settings);
  const weightsFolder = join(folder, 'onnx');
  const graph = await readFile(join(weightsFolder, 'model.onnx'));
  const session = await openSession(graph, { provider: 'cpu', threads, weightsFolder });
  const parts = describe(folder, session);
  const most = Math.min(
    ...[config['max_position_embeddings'], settings['model_max_length'], MOST_TOKENS].filter(
      (limit): limit is number => typeof limit === 'number' && limit > 0,
    ),
  );
  return {
    dims: parts.dims,
    encode: (text) => encodeStretches(parts, stretches(tokenizer, text, most)),
    release: () => session.release(),
  };
}

function describe(folder: string, session: ort.InferenceSession): Parts {
  const strange = session.inputNames.filter((name) => !INPUTS.includes(name));
  const output = OUTPUTS.find((name) => session.outputNames.includes(name));
  const shape = session.outputMetadata.flatMap((about) =>
    about.name === output && about.isTensor ? [about.shape] : [],
  )[0];
  const dims = shape?.at(-1);
  if (strange.length > 0) throw unsupported(folder, `its graph asks for ${strange.slice(0, 3).join(', ')}`);
  if (output === undefined || shape?.length !== 3 || typeof dims !== 'number' || dims < 1)
    throw unsupported(folder, 'its graph gives no last hidden state of every token');
  return { folder, session, output, dims };
}

/** The tokens of a text in parts that the encoder takes, each between the special tokens that it expects. */
function stretches(tokenizer: HubTokenizer, text: string, most: number): number[][] {
  const whole: number[] = tokenizer.encode(text).ids;
  if (whole.length <= most) return whole.length === 0 ? [] : [whole];
  const body: number[] = tokenizer.encode(text, { add_special_tokens: false }).ids;
  const front = whole.findIndex((_, at) => body.every((id, k) => whole[at + k] === id));
  const before = whole.slice(0, Math.max(0, front));
  const after = front < 0 ? [] : whole.slice(front + body.length);
  const room = Math.max(1, most - before.length - after.length);
  return Array.from({ length: Math.ceil(body.length / room) }, (_, part) => [
    ...before,
    ...body.slice(part * room, (part + 1) * room),
    ...after,
  ]);
}

async function encodeStretches(parts: Parts, all: readonly number[][]): Promise<Float32Array> {
  const sum = new Float64Array(parts.dims);
  for (const ids of all) {
    const states = await lastStates(parts, ids);
    for (let at = 0; at < states.length; at++)
      sum[at % parts.dims] = (sum[at % parts.dims] as number) + (states[at] as number);
  }
  const length = Math.hypot(...sum);
  return Float32Array.from(sum, (value) => (length > 0 ? value / length : 0));
}

/** [tokens, dims] */
async function lastStates(
  { folder, session, output, dims }: Parts,
  ids: readonly number[],
): Promise<Float32Array> {
  const numbers = (of: readonly number[]): ort.Tensor =>
    new ort.Tensor('int64', BigInt64Array.from(of, BigInt), [1, of.length]);
  const feeds = Object.fromEntries(
    Object.entries({
      input_ids: numbers(ids),
      attention_mask: numbers(ids.map(() => 1)),
      token_type_ids: numbers(ids.map(() => 0)),
    }).filter(([name]) => session.inputNames.includes(name)),
  );
  const { data } = (await session.run(feeds, [output]))[output] as ort.Tensor;
  if (data instanceof Float32Array && data.length === ids.length * dims) return data;
  throw unsupported(folder, `its graph gives no float32 state of ${dims} numbers for every token`);
}

const EXPECTED =
  'expected an encoder as the hub has it, with config.json, tokenizer.json, and onnx/model.onnx that takes input_ids and attention_mask and gives last_hidden_state';

const lacks = (folder: string, file: string): EntrainError =>
  new EntrainError('MODEL_MISSING', `${folder} is no sentence encoder, for it lacks ${file}: ${EXPECTED}.`);

const unsupported = (folder: string, why: string): EntrainError =>
  new EntrainError('MODEL_UNSUPPORTED', `${folder} is no sentence encoder, for ${why}: ${EXPECTED}.`);
