/**
 * One turn of a model, as its owner sees it: folders that people really have are tried as they are, or refused with a
 * reason.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openDialogue } from '../../../../src/model/dialogue/dialogue.ts';
import type { TurnState } from '../../../../src/model/types.ts';
import { tryModel, type TryOptions, type TryReport } from '../../../../src/model/try/try-model.ts';
import { openModel } from '../../../../src/model/worker/open-model.ts';
import { writeBytes } from '../../../../src/onnx/protobuf.ts';
import { samplingSchema } from '../../../../src/protocol/study.ts';
import { writeChatModel } from '../../../fixtures/onnx/chat-model.ts';
import type { LlamaStyle } from '../../../fixtures/onnx/llama-graph.ts';
import { randomWeights } from '../../../fixtures/onnx/llama2c.ts';
import { type Script, writeScriptedModel } from '../../../fixtures/onnx/scripted-model.ts';
import { byteLevelTokenizer, TEMPLATES, tokenizerConfig } from '../../../fixtures/onnx/tokenizers.ts';
import { temporaryFolder, writeLlamaFolder } from '../../../fixtures/onnx/write-folder.ts';
import { graph, INT32, INT64, valueInfo } from '../../../fixtures/onnx/write-onnx.ts';
import { hasShared, sharedFolder } from '../../../fixtures/shared.ts';

const TURNS: TryOptions['turns'] = [
  { who: 'peer', text: 'Hello there' },
  { who: 'self', text: 'Hi' },
  { who: 'peer', text: 'How are you?' },
];

async function attempt(folder: string, options: Partial<TryOptions> = {}): Promise<TryReport> {
  return tryModel({
    model: { folder, provider: 'cpu', threads: 1, cacheFolder: await temporaryFolder() },
    system: 'Be brief.',
    turns: TURNS,
    maxTokens: 24,
    sampling: samplingSchema.parse({ temperature: 0 }),
    seed: 3,
    ...options,
  });
}

/** The state before the reply, in a dialogue of its own. */
async function stateBefore(folder: string): Promise<TurnState> {
  const model = await openModel({
    folder,
    provider: 'cpu',
    threads: 1,
    cacheFolder: await temporaryFolder(),
  });
  const sampling = samplingSchema.parse({});
  const dialogue = openDialogue(model, { id: 'one', system: 'Be brief.', sampling, steps: null });
  for (const { who, text } of TURNS)
    await (who === 'self' ? dialogue.recall(text) : dialogue.heard(text, () => undefined));
  const state = await dialogue.turnState();
  await model.release();
  return state;
}

const said = async (script: Script): Promise<TryReport> => attempt(await writeScriptedModel(script));

/**
 * Words are equal; states are to rounding, for a graph that takes one dialogue at a time goes through other products.
 */
function expectSame(report: TryReport, expected: TryReport): void {
  expect(report.text).toBe(expected.text);
  expect(report.stateNorms).toHaveLength(expected.stateNorms.length);
  for (const [layer, norm] of report.stateNorms.entries())
    expect(norm).toBeCloseTo(expected.stateNorms[layer] as number, 6);
}

describe('trying a model', () => {
  it('shows prompt, ids, reply, its end, and the norm of the state of every layer', async () => {
    const folder = await writeScriptedModel({
      after: '<|assistant|>',
      says: 'Nice day.<|end|>',
      template: TEMPLATES.own,
    });
    const report = await attempt(folder);
    expect(report.prompt).toBe(
      '<s><|system|>Be brief.<|end|><|user|>Hello there<|end|><|assistant|>Hi<|end|><|user|>How are you?<|end|><|assistant|>',
    );
    expect(report).toMatchObject({ text: 'Nice day.', finish: 'stop', tokens: 9 });
    const { layers, data } = await stateBefore(folder);
    const dims = data.length / layers.length;
    const squares = (layer: number): number =>
      data.subarray(layer * dims, (layer + 1) * dims).reduce((sum, value) => sum + value ** 2, 0);
    expect(layers).toEqual([1, 2]);
    for (const layer of [0, 1]) expect(report.stateNorms[layer]).toBeCloseTo(Math.sqrt(squares(layer)), 6);
    expect(report.stateNorms).toHaveLength(2);
    expect(report.promptIds.length).toBeGreaterThan(8);
  });

  it('says the letters that decoding would clean up, whatever the setting', async () => {
    const says = "My 'sure ,<|end|>";
    // As in GPT-2 the blank before a mark is part of its token.
    const extra = [" '", ' ,'].map((content) => ({ content, special: false }));
    const script = { after: '<|assistant|>', says, template: TEMPLATES.own, extra };
    for (const settings of [
      {},
      { clean_up_tokenization_spaces: true },
      { clean_up_tokenization_spaces: false },
    ])
      expect((await said({ ...script, settings })).text).toBe("My 'sure ,");
  });

  it('ends a reply with the token by which the template ends a turn, though no file names it', async () => {
    const report = await said({
      after: '<|assistant|>',
      says: 'No<|end|>user',
      template: TEMPLATES.own,
      settings: { eos_token: '</s>' },
      endTokens: ['</s>'],
    });
    expect(report).toMatchObject({ text: 'No', finish: 'stop', tokens: 2 });
    expect(report.info.notices).toEqual([expect.stringContaining('ends turns with <|end|>')]);
  });

  it('ends a reply where the model goes on into the next turn', async () => {
    const script = { after: '<|assistant|>', says: 'Yes<|user|>no', template: TEMPLATES.own };
    expect(await said(script)).toMatchObject({ text: 'Yes', finish: 'stop' });
  });

  it('takes bos and eos from special_tokens_map.json where tokenizer_config.json has none', async () => {
    const folder = await writeScriptedModel({
      after: '<|assistant|>',
      says: 'Yes</s>',
      template: TEMPLATES.own,
    });
    const config = { chat_template: TEMPLATES.own };
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    const map = { bos_token: { content: '<s>', lstrip: false }, eos_token: '</s>' };
    await writeFile(join(folder, 'special_tokens_map.json'), JSON.stringify(map));
    const report = await attempt(folder);
    expect(report).toMatchObject({ text: 'Yes', finish: 'stop' });
    expect(report.prompt).toMatch(/^<s>/);
  });
});

describe('a token beyond the head', () => {
  const SHAPE = { dims: 32, hidden: 64, layers: 2, heads: 2, keyValueHeads: 1, context: 256 };
  const write = async (template: string): Promise<string> => {
    const { tokenizer, vocabulary } = byteLevelTokenizer(50, [{ content: '<image>', special: true }]);
    return writeLlamaFolder(
      randomWeights({ ...SHAPE, vocabulary: vocabulary - 1 }, 1),
      { style: 'torch' },
      {
        tokenizer,
        tokenizerConfig: tokenizerConfig(template),
      },
    );
  };

  it('that nothing uses is no fault, and spelling it does no harm', async () => {
    const report = await attempt(await write(TEMPLATES.own), { system: 'Look: <image>' });
    expect(Math.max(...report.promptIds)).toBeLessThan(byteLevelTokenizer(50).vocabulary);
  });

  it('that the template uses is one', async () => {
    await expect(attempt(await write(`<image>${TEMPLATES.own}`))).rejects.toMatchObject({
      code: 'VOCABULARY_MISMATCH',
    });
  });
});

describe('an input that says nothing new', () => {
  it.each([
    ['num_logits_to_keep', INT64, []],
    ['logits_to_keep', INT64, [1]],
    ['token_type_ids', INT64, ['batch', 'sequence']],
    ['cache_position', INT64, ['sequence']],
    ['total_sequence_length', INT32, []],
  ])('is fed: %s', async (name, type, shape) => {
    const folder = await writeChatModel({ tokens: 'bytes', template: 'own' });
    const expected = await attempt(folder);
    const file = join(folder, 'onnx/model.onnx');
    const extra = graph({ nodes: [], weights: [], inputs: [valueInfo(name, type, shape)], outputs: [] });
    await writeFile(file, Buffer.concat([await readFile(file), writeBytes(7, extra)]));
    expectSame(await attempt(folder), expected);
  });
});

describe('what cannot run', () => {
  it('for want of an output logits is told so', async () => {
    const folder = await writeChatModel({ tokens: 'bytes', template: 'own' });
    const file = join(folder, 'onnx/model.onnx');
    const bytes = await readFile(file);
    for (let at = bytes.indexOf('logits'); at >= 0; at = bytes.indexOf('logits')) bytes.write('logitz', at);
    await writeFile(file, bytes);
    await expect(attempt(folder)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('has no output logits') as string,
    });
  });

  it('for a template that needs what no dialogue brings is refused before any pass', async () => {
    const folder = await writeChatModel({ tokens: 'bytes', template: 'own' });
    const config = tokenizerConfig("{{ raise_exception('tools are needed') }}");
    await writeFile(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
    await expect(attempt(folder)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('tools are needed') as string,
    });
  });
});

describe('a graph of', () => {
  const SHAPE = { dims: 32, hidden: 64, layers: 2, heads: 2, keyValueHeads: 1, context: 256 };
  const write = async (style: LlamaStyle): Promise<string> => {
    const { tokenizer, vocabulary } = byteLevelTokenizer(50);
    const config = { tokenizer, tokenizerConfig: tokenizerConfig(TEMPLATES.own) };
    return writeLlamaFolder(randomWeights({ ...SHAPE, vocabulary }, 1), style, config);
  };

  it.each<[string, LlamaStyle, RegExp]>([
    [
      'a cache in int8',
      { style: 'torch', integerCache: true },
      /past_key_values\.0\.key holds int8, expected float32 or/,
    ],
    ['one token at a time', { style: 'torch', fixed: { sequence: 1 } }, /input_ids .*1/],
    ['sixteen tokens at a time', { style: 'torch', fixed: { sequence: 16 } }, /input_ids .*16/],
    ['a cache of a fixed length', { style: 'torch', fixed: { past: 32 } }, /past_key_values.* 32/],
    ['two dialogues at a time', { style: 'torch', fixed: { batch: 2 } }, /2/],
  ])('%s is refused when it is loaded, with its reason', async (_, style, why) => {
    const folder = await write(style);
    const cacheFolder = await temporaryFolder();
    await expect(openModel({ folder, provider: 'cpu', threads: 1, cacheFolder })).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringMatching(why) as string,
    });
  });

  it('one dialogue at a time, stated as a fixed size, says what it says with a free one', async () => {
    const free = await attempt(await write({ style: 'torch' }));
    expectSame(await attempt(await write({ style: 'torch', fixed: { batch: 1 } })), free);
  });
});

/** The same graph and weights in each folder, but for its own fault. */
describe.skipIf(!hasShared)('folders made after reports of others', () => {
  const WELL = "I'm doing well, thank you for asking.";
  const tried = (name: string): Promise<TryReport> =>
    attempt(sharedFolder(`cases/models/${name}`), { maxTokens: 12 });

  it.each([
    ['cache-position', WELL, 'length'],
    ['num-logits-to-keep', WELL, 'length'],
    ['gemma3-image-token', WELL, 'length'],
    ['mask-bool', WELL, 'length'],
    ['needs-user-turn', WELL, 'length'],
    ['cleanup-stream', "Nice 'sure' you", 'stop'],
    ['reasoning-r1', 'Nice to meet you.', 'stop'],
    ['turn-end-not-in-eos', 'Hello you', 'stop'],
  ])('%s says %j', async (name, text, finish) => {
    expect(await tried(name)).toMatchObject({ text, finish });
  });

  it.each([
    ['ir-99', 'newer than this runtime reads'],
    ['logits-renamed', 'has no output logits'],
    ['no-cache-shape', 'states no shape'],
  ])('%s is refused: %s', async (name, why) => {
    await expect(tried(name)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining(why) as string,
    });
  });

  it('template-with-todays-date has the same day in every run', async () => {
    const { prompt } = await tried('template-with-todays-date');
    expect(prompt).toContain('01 January 2025');
    expect((await tried('template-with-todays-date')).prompt).toBe(prompt);
  });

  it('fp32-data-not-fetched lacks a file, is told of another graph, and runs with that', async () => {
    const folder = sharedFolder('cases/models/fp32-data-not-fetched');
    await expect(attempt(folder)).rejects.toMatchObject({
      code: 'MODEL_MISSING',
      message: expect.stringMatching(/model\.onnx_data.*--dtype.*model_q4\.onnx/) as string,
    });
    const cacheFolder = await temporaryFolder();
    const graph = { dtype: 'q4' };
    const model = { folder, provider: 'cpu', threads: 1, cacheFolder, graph } as const;
    expect(await attempt(folder, { model, maxTokens: 12 })).toMatchObject({ text: WELL, finish: 'length' });
  });
});

describe('a shipped model', () => {
  it.each(['300k', '850k', '4m', '8m'])(
    'entrain-dialogue-%s answers in words, and ends by itself',
    async (size) => {
      const report = await attempt(`models/entrain-dialogue-${size}`);
      expect(report).toMatchObject({ finish: 'stop', text: expect.stringMatching(/\p{L}{2}/u) as string });
      expect(report.stateNorms).toHaveLength(report.info.layers);
      expect(report.stateNorms.every((norm) => norm > 0)).toBe(true);
    },
  );
});
