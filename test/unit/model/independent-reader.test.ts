/**
 * An independent reader agrees: transformers.js loads the shipped folders from disk and says, greedily, what our
 * runtime says; the tokenizer gives every line of the training sources back unchanged.
 */
import { readFile } from 'node:fs/promises';
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Tokenizer } from '@huggingface/tokenizers';
import { AutoModelForCausalLM, AutoTokenizer, env, type Tensor } from '@huggingface/transformers';
import { describe, expect, it } from 'vitest';
import { loadModel } from '../../../src/model/worker/load-model.ts';
import { sharedFolder } from '../../fixtures/shared.ts';
import { temporaryFolder } from '../../fixtures/onnx/write-folder.ts';

const MODELS = readdirSync('models').filter((name) => name.startsWith('entrain-'));
const GREEDY = { temperature: 0, topK: 0, topP: 1, minP: 0, repetitionPenalty: 1, stops: [] };
const MAX_TOKENS = 24;

/** Twenty prompts: five systems, each opened, answered, and answered after two turns. */
const SYSTEMS = [
  'Scenario: Two campsite neighbors divide food and firewood.\nYou: I camp with my kids.\nGoal: Get most of the food.',
  'You: I am a nurse and I love cats.\nSecret: I am afraid of dogs.',
  'Scenario: Two people chat about movies.',
  'Scenario: Two strangers talk in a train.\nGoal: Find out where the other one lives.',
  'You: I play the drums.',
];
const HISTORIES = [
  [],
  ['Hello!'],
  ['How was your day?'],
  ['Hi there.', 'Hello, how are you?', 'I like rock music.'],
];
const PROMPTS = SYSTEMS.flatMap((system) => HISTORIES.map((history) => ({ system, history })));

async function ours(name: string): Promise<string[]> {
  const cacheFolder = await temporaryFolder();
  const model = await loadModel({ folder: join('models', name), provider: 'cpu', threads: 1, cacheFolder });
  const said: string[] = [];
  for (const [index, { system, history }] of PROMPTS.entries()) {
    const dialogue = await model.open({ id: String(index), system, sampling: GREEDY, steps: null });
    for (const [turn, text] of history.entries()) {
      if ((history.length - turn) % 2 === 1) await dialogue.heard(text, () => undefined);
      else await dialogue.recall(text);
    }
    const ignore = (): void => undefined;
    const events = { onState: ignore, onToken: ignore, onSteps: ignore };
    const { text, tokens } = await dialogue.speak({
      seed: 1,
      maxTokens: MAX_TOKENS,
      mayLeave: true,
      ...events,
    });
    said.push(`${tokens}: ${text.trim()}`);
    await dialogue.close();
  }
  await model.stop();
  return said;
}

async function theirs(name: string): Promise<string[]> {
  env.allowRemoteModels = false;
  env.localModelPath = resolve('models');
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForCausalLM.from_pretrained(name, { dtype: 'fp32', device: 'cpu' });
  const said: string[] = [];
  for (const { system, history } of PROMPTS) {
    const roles = history.map((content, turn) => ({
      role: (history.length - turn) % 2 === 1 ? 'user' : 'assistant',
      content,
    }));
    const messages = [{ role: 'system', content: system }, ...roles];
    const inputs = tokenizer.apply_chat_template(messages, {
      add_generation_prompt: true,
      return_dict: true,
    }) as object;
    const options = { ...inputs, max_new_tokens: MAX_TOKENS, do_sample: false };
    const output = (await model.generate(options)) as Tensor;
    const prompt = (inputs as { input_ids: Tensor }).input_ids.dims[1] ?? 0;
    const ids = (output.tolist() as bigint[][])[0]?.slice(prompt).map(Number) ?? [];
    const stops = (
      JSON.parse(await readFile(join('models', name, 'generation_config.json'), 'utf8')) as {
        eos_token_id: number[];
      }
    ).eos_token_id;
    const words = ids.filter((id) => !stops.includes(id));
    said.push(`${words.length}: ${tokenizer.decode(words, { skip_special_tokens: true }).trim()}`);
  }
  return said;
}

describe('transformers.js', () => {
  it.each(MODELS)(
    'says greedily what our runtime says with %s, for 20 prompts',
    { timeout: 180_000 },
    async (name) => {
      expect(PROMPTS).toHaveLength(20);
      expect(await ours(name)).toEqual(await theirs(name));
    },
  );
});

describe.skipIf(!existsSync(sharedFolder('corpora')))('the tokenizer on the training sources', () => {
  const corpora = sharedFolder('corpora');
  const sources = existsSync(corpora)
    ? readdirSync(corpora).filter((file) => file.endsWith('.jsonl.gz'))
    : [];

  it.each(sources)('gives the words of %s back unchanged', async (file) => {
    const folder = join('models', MODELS.at(-1) ?? '');
    const json = async (name: string): Promise<object> =>
      JSON.parse(await readFile(join(folder, name), 'utf8')) as object;
    const tokenizer = new Tokenizer(await json('tokenizer.json'), await json('tokenizer_config.json'));
    const lines = gunzipSync(await readFile(join(corpora, file)))
      .toString()
      .split('\n')
      .slice(0, 150);
    let turns = 0;
    for (const line of lines.filter(Boolean)) {
      for (const { text } of (JSON.parse(line) as { turns: { text: string }[] }).turns) {
        const { ids } = tokenizer.encode(text, { add_special_tokens: false });
        expect(
          tokenizer.decode(ids, { skip_special_tokens: true, clean_up_tokenization_spaces: false }),
        ).toBe(text);
        turns += 1;
      }
    }
    expect(turns).toBeGreaterThan(100);
  });
});
