/** A model that cannot be run says why, by a code and in one sentence. */
import { appendFile, copyFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import { openModel } from '../../../src/model/worker/open-model.ts';
import { writeBytes } from '../../../src/onnx/protobuf.ts';
import { writeTapped } from '../../../src/model/graph/write-tapped.ts';
import { DIALOGUE, writeChatModel } from '../../fixtures/onnx/chat-model.ts';
import { randomWeights } from '../../fixtures/onnx/llama2c.ts';
import { byteLevelTokenizer, TEMPLATES, tokenizerConfig } from '../../fixtures/onnx/tokenizers.ts';
import { temporaryFolder, writeLlamaFolder } from '../../fixtures/onnx/write-folder.ts';
import { BFLOAT16, FLOAT, graph, node, tensor, valueInfo } from '../../fixtures/onnx/write-onnx.ts';

const SHAPE = { dims: 32, hidden: 64, layers: 2, heads: 2, keyValueHeads: 1, vocabulary: 512, context: 256 };

async function open(folder: string, provider: 'cpu' | 'coreml' = 'cpu'): Promise<void> {
  const model = await openModel({ folder, provider, threads: 1, cacheFolder: await temporaryFolder() });
  await model.release();
}

async function writeExternal(file: string): Promise<string> {
  const files = byteLevelTokenizer(50);
  const tokenizerFiles = { ...files, tokenizerConfig: tokenizerConfig(TEMPLATES.own) };
  return writeLlamaFolder(randomWeights(SHAPE, 1), { style: 'torch', external: file }, tokenizerFiles);
}

describe('a faulty model', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await writeChatModel({ tokens: 'bytes', template: 'own' });
  });

  it.each(['config.json', 'tokenizer.json', 'onnx/model.onnx'])(
    'without %s is reported as missing',
    async (file) => {
      await rm(join(folder, file));
      await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_MISSING' });
    },
  );

  it.each([10, 5000, 60_000])('truncated to %i bytes is reported as corrupt', async (length) => {
    await truncate(join(folder, 'onnx/model.onnx'), length);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });

  it('of 2 GiB in one file is refused as unsupported', async () => {
    await truncate(join(folder, 'onnx/model.onnx'), 2 ** 31);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it.each([
    ['pixel_values', 'multimodal'],
    ['inputs_embeds', 'multimodal'],
    ['encoder_hidden_states', 'encoder-decoder'],
    ['past_conv_0', 'hybrid'],
    ['past_key_values.0.ssm_state', 'hybrid'],
  ])('that wants %s is reported as %s, also if only taps are asked for', async (input, kind) => {
    const extra = graph({ nodes: [], weights: [], inputs: [valueInfo(input, FLOAT, [1])], outputs: [] });
    await appendFile(join(folder, 'onnx/model.onnx'), writeBytes(7, extra));
    const refusal = { code: 'MODEL_UNSUPPORTED', message: expect.stringContaining(kind) as string };
    await expect(open(folder)).rejects.toMatchObject(refusal);
    await expect(writeTapped(folder, join(folder, 'out.onnx'))).rejects.toMatchObject(refusal);
  });

  it('with other names for its cache is refused, with the expected names', async () => {
    const input = valueInfo('past_key_values_key_cache_0', FLOAT, ['batch', 1, 'past', 16]);
    const extra = graph({ nodes: [], weights: [], inputs: [input], outputs: [] });
    await appendFile(join(folder, 'onnx/model.onnx'), writeBytes(7, extra));
    const message = expect.stringContaining('expected past_key_values.0.key') as string;
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED', message });
  });

  it('with a broken config is reported as corrupt', async () => {
    await writeFile(join(folder, 'config.json'), '{"num_hidden_layers": ');
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });

  it('with pictures as input is refused as unsupported', async () => {
    await writeFile(join(folder, 'config.json'), '{"text_config": {}, "vision_config": {}}');
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('with a wrong number of layers is refused as unsupported', async () => {
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 5 }));
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('with a tokenizer of another vocabulary is refused as unsupported', async () => {
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(byteLevelTokenizer(400).tokenizer));
    const small = await writeLlamaFolder(randomWeights({ ...SHAPE, vocabulary: 100 }, 1), { style: 'torch' });
    await copyFile(join(folder, 'tokenizer.json'), join(small, 'tokenizer.json'));
    await expect(open(small)).rejects.toMatchObject({ code: 'VOCABULARY_MISMATCH' });
  });

  it('is refused on a provider that this machine does not have', async () => {
    await expect(open(folder, 'coreml')).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  });
});

describe('external weights', () => {
  it('beside the graph are loaded', async () => {
    await expect(open(await writeExternal('model.onnx_data'))).resolves.toBeUndefined();
  });

  it.each(['../weights.bin', '/etc/hostname', 'a/../../weights.bin'])(
    'at %s are refused as unsafe',
    async (file) => {
      const folder = await writeExternal('model.onnx_data');
      const graph = join(folder, 'onnx/model.onnx');
      const unsafe = await writeExternalAt(file);
      await copyFile(unsafe, graph);
      await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSAFE' });
    },
  );

  it('behind a link that leaves the folder are refused as unsafe', async () => {
    const folder = await writeExternal('model.onnx_data');
    const outside = join(await temporaryFolder(), 'weights.bin');
    const inside = join(folder, 'onnx/model.onnx_data');
    await copyFile(inside, outside);
    await rm(inside);
    await symlink(outside, inside);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSAFE' });
  });

  it('that do not exist are reported as missing, by name', async () => {
    const folder = await writeExternal('model.onnx_data');
    await rm(join(folder, 'onnx/model.onnx_data'));
    const message = expect.stringContaining('model.onnx_data') as string;
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_MISSING', message });
  });

  it.each([
    ['shorter', 'length', '4095'],
    ['longer', 'length', '9999'],
    ['elsewhere', 'offset', '-409'],
    ['nowhere', 'offset', 'four'],
  ])('with %s in the graph are reported as corrupt', async (_, key, value) => {
    const folder = await writeExternal('model.onnx_data');
    const file = join(folder, 'onnx/model.onnx');
    const bytes = await readFile(file);
    // A text of the same length, so that nothing else moves.
    const at = bytes.indexOf(Buffer.concat([Buffer.from(key), writeBytes(2, '4096')]));
    expect(at).toBeGreaterThan(0);
    bytes.write(value, at + key.length + 2);
    await writeFile(file, bytes);
    const message = expect.stringContaining('not where or not as long as it says') as string;
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT', message });
  });

  it('that are cut short are reported as corrupt', async () => {
    const folder = await writeExternal('model.onnx_data');
    await truncate(join(folder, 'onnx/model.onnx_data'), 1000);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });
});

/** A graph that names `file`; nothing is written there. */
async function writeExternalAt(file: string): Promise<string> {
  const { buildLlama } = await import('../../fixtures/onnx/llama-graph.ts');
  const place = join(await temporaryFolder(), 'model.onnx');
  await mkdir(join(place, '..'), { recursive: true });
  await writeFile(place, buildLlama(randomWeights(SHAPE, 1), { style: 'torch', external: file }).onnx);
  return place;
}

type Weights = ReturnType<typeof randomWeights>;

/** Says a few words with a model whose weights were changed. */
async function speakWith(change: (weights: Weights) => void, steps = DIALOGUE.steps): Promise<string> {
  const files = { ...byteLevelTokenizer(50), tokenizerConfig: tokenizerConfig(TEMPLATES.own) };
  const vocabulary = files.vocabulary + PADDING;
  const weights = randomWeights({ ...SHAPE, vocabulary }, 1);
  change(weights);
  const folder = await writeLlamaFolder(weights, { style: 'torch' }, files);
  return speakFrom(folder, steps);
}

async function speakFrom(folder: string, steps = DIALOGUE.steps): Promise<string> {
  const cacheFolder = await temporaryFolder();
  const model = await openModel({ folder, provider: 'cpu', threads: 1, cacheFolder });
  const greedy = { ...DIALOGUE, steps, sampling: { ...DIALOGUE.sampling, temperature: 0 } };
  const { text } = await openDialogue(model, greedy).speak({
    seed: 1,
    maxTokens: 3,
    mayLeave: false,
    onState: () => undefined,
    onToken: () => undefined,
    onSteps: () => undefined,
  });
  await model.release();
  return text;
}

/** Rows of the head that are no tokens. */
const PADDING = 8;

describe('numbers that are not finite', () => {
  it('in a state stop the turn', async () => {
    const speaking = speakWith((weights) => weights.layers[1]?.down.fill(Number.NaN));
    await expect(speaking).rejects.toMatchObject({ code: 'STATE_NOT_FINITE' });
  });

  it('in the logits stop the turn, though every state is finite', async () => {
    const speaking = speakWith((weights) => weights.norm.fill(Number.NaN), null);
    await expect(speaking).rejects.toMatchObject({ code: 'STATE_NOT_FINITE' });
  });
});

describe('a head with more rows than there are tokens', () => {
  it('never gives an id that is not a token', async () => {
    const plain = await speakWith(() => undefined);
    const tempted = await speakWith(({ embedding }) => {
      // As good as any for one half of all states, and as bad for the other: two of them cover both.
      const start = embedding.length - PADDING * SHAPE.dims;
      for (let i = start; i < embedding.length; i++) embedding[i] = i % 2 === 0 ? 50 : -50;
      embedding.subarray(embedding.length - SHAPE.dims).forEach((value, i, row) => (row[i] = -value));
    });
    expect(tempted).toBe(plain);
    expect(plain).not.toBe('');
  });
});

/** A folder whose graph has one cache slot more: `present` is made of `past` by `op`. */
async function writeSlot(type: number, sizes: number[], op: 'Identity' | 'ConstantOfShape'): Promise<string> {
  const folder = await writeChatModel({ tokens: 'bytes', template: 'own' });
  const [heads = 1, size = 1] = sizes;
  const [past, present] = ['past_key_values.3.key', 'present.3.key'];
  const extra = graph({
    nodes: [node({ op, inputs: op === 'Identity' ? [past] : ['huge'], outputs: [present] })],
    weights: [tensor('huge', [4], BigInt64Array.of(1n, 1n, 2n ** 44n, 1n))],
    inputs: [valueInfo(past, type, ['batch', heads, 'past', size])],
    outputs: [valueInfo(present, type, ['batch', heads, 'total', size])],
  });
  await appendFile(join(folder, 'onnx/model.onnx'), writeBytes(7, extra));
  return folder;
}

describe('tensors', () => {
  it('that no array can hold are refused before they end the process', async () => {
    const message = expect.stringContaining('cache would take') as string;
    const speaking = speakFrom(await writeSlot(FLOAT, [2 ** 14, 2 ** 14], 'Identity'));
    await expect(speaking).rejects.toMatchObject({ code: 'TENSOR_TOO_LARGE', message });
  });

  it('that do not fit into memory are named in the error', async () => {
    const speaking = speakFrom(await writeSlot(FLOAT, [1, 1], 'ConstantOfShape'));
    await expect(speaking).rejects.toMatchObject({ code: 'TENSOR_TOO_LARGE' });
  });

  it('that go in or out as bfloat16 are refused in one sentence', async () => {
    const message = expect.stringContaining('bfloat16') as string;
    const opening = open(await writeSlot(BFLOAT16, [1, 8], 'Identity'));
    await expect(opening).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED', message });
  });
});
