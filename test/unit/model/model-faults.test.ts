/** A model that cannot be run says why, by a code and in one sentence. */
import { appendFile, copyFile, mkdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openDialogue } from '../../../src/model/dialogue.ts';
import { openModel } from '../../../src/model/open-model.ts';
import { writeBytes } from '../../../src/model/protobuf.ts';
import { writeTapped } from '../../../src/model/write-tapped.ts';
import { DIALOGUE, writeChatModel } from '../../onnx/chat-model.ts';
import { randomWeights } from '../../onnx/llama2c.ts';
import { byteLevelTokenizer, TEMPLATES, tokenizerConfig } from '../../onnx/tokenizers.ts';
import { temporaryFolder, writeLlamaFolder } from '../../onnx/write-folder.ts';
import { FLOAT, graph, valueInfo } from '../../onnx/write-onnx.ts';

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

  it.each(['config.json', 'tokenizer.json', 'onnx/model.onnx'])('without %s is missing', async (file) => {
    await rm(join(folder, file));
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_MISSING' });
  });

  it.each([10, 5000, 60_000])('truncated to %i bytes is corrupt', async (length) => {
    await truncate(join(folder, 'onnx/model.onnx'), length);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });

  it('of 2 GiB in one file is unsupported', async () => {
    await truncate(join(folder, 'onnx/model.onnx'), 2 ** 31);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it.each([
    ['pixel_values', 'multimodal'],
    ['inputs_embeds', 'multimodal'],
    ['encoder_hidden_states', 'encoder-decoder'],
    ['past_conv_0', 'hybrid'],
    ['past_key_values.0.ssm_state', 'hybrid'],
  ])('that wants %s is told to be %s, also where only taps are asked for', async (input, kind) => {
    const extra = graph({ nodes: [], weights: [], inputs: [valueInfo(input, FLOAT, [1])], outputs: [] });
    await appendFile(join(folder, 'onnx/model.onnx'), writeBytes(7, extra));
    const refusal = { code: 'MODEL_UNSUPPORTED', message: expect.stringContaining(kind) as string };
    await expect(open(folder)).rejects.toMatchObject(refusal);
    await expect(writeTapped(folder, join(folder, 'out.onnx'))).rejects.toMatchObject(refusal);
  });

  it('with a broken config is corrupt', async () => {
    await writeFile(join(folder, 'config.json'), '{"num_hidden_layers": ');
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });

  it('with pictures is unsupported', async () => {
    await writeFile(join(folder, 'config.json'), '{"text_config": {}, "vision_config": {}}');
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('with a wrong number of layers is unsupported', async () => {
    const config = JSON.parse(await readFile(join(folder, 'config.json'), 'utf8')) as object;
    await writeFile(join(folder, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 5 }));
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('with a tokenizer of another vocabulary is unsupported', async () => {
    await writeFile(join(folder, 'tokenizer.json'), JSON.stringify(byteLevelTokenizer(400).tokenizer));
    const small = await writeLlamaFolder(randomWeights({ ...SHAPE, vocabulary: 100 }, 1), { style: 'torch' });
    await copyFile(join(folder, 'tokenizer.json'), join(small, 'tokenizer.json'));
    await expect(open(small)).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
  });

  it('asked for on a provider that is not here is refused', async () => {
    await expect(open(folder, 'coreml')).rejects.toMatchObject({ code: 'PROVIDER_UNAVAILABLE' });
  });
});

describe('external weights', () => {
  it('beside the graph are loaded', async () => {
    await expect(open(await writeExternal('model.onnx_data'))).resolves.toBeUndefined();
  });

  it.each(['../weights.bin', '/etc/hostname', 'a/../../weights.bin'])('at %s are unsafe', async (file) => {
    const folder = await writeExternal('model.onnx_data');
    const graph = join(folder, 'onnx/model.onnx');
    const unsafe = await writeExternalAt(file);
    await copyFile(unsafe, graph);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSAFE' });
  });

  it('behind a link that leaves the folder are unsafe', async () => {
    const folder = await writeExternal('model.onnx_data');
    const outside = join(await temporaryFolder(), 'weights.bin');
    const inside = join(folder, 'onnx/model.onnx_data');
    await copyFile(inside, outside);
    await rm(inside);
    await symlink(outside, inside);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_UNSAFE' });
  });

  it('cut short are corrupt', async () => {
    const folder = await writeExternal('model.onnx_data');
    await truncate(join(folder, 'onnx/model.onnx_data'), 1000);
    await expect(open(folder)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
  });
});

/** A graph that names `file`; nothing is written there. */
async function writeExternalAt(file: string): Promise<string> {
  const { buildLlama } = await import('../../onnx/llama-graph.ts');
  const place = join(await temporaryFolder(), 'model.onnx');
  await mkdir(join(place, '..'), { recursive: true });
  await writeFile(place, buildLlama(randomWeights(SHAPE, 1), { style: 'torch', external: file }).onnx);
  return place;
}

describe('states', () => {
  it('that are not finite stop the turn', async () => {
    const weights = randomWeights({ ...SHAPE, vocabulary: byteLevelTokenizer(50).vocabulary }, 1);
    weights.layers[1]?.down.fill(Number.NaN);
    const files = { ...byteLevelTokenizer(50), tokenizerConfig: tokenizerConfig(TEMPLATES.own) };
    const folder = await writeLlamaFolder(weights, { style: 'torch' }, files);
    const model = await openModel({
      folder,
      provider: 'cpu',
      threads: 1,
      cacheFolder: await temporaryFolder(),
    });
    const speaking = openDialogue(model, DIALOGUE).speak({
      seed: 1,
      maxTokens: 3,
      mayLeave: false,
      onState: () => undefined,
      onToken: () => undefined,
      onSteps: () => undefined,
    });
    await expect(speaking).rejects.toMatchObject({ code: 'STATE_NOT_FINITE' });
  });
});
