/** What a model thinks is nobody's to hear: not spoken, not streamed as speech, not in a later prompt. */
import { describe, expect, it } from 'vitest';
import { openDialogue } from '../../../../src/model/dialogue/dialogue.ts';
import { tryModel } from '../../../../src/model/try/try-model.ts';
import type { SpokenToken, StepStates } from '../../../../src/model/types.ts';
import { openModel, type OpenModel } from '../../../../src/model/worker/open-model.ts';
import { samplingSchema } from '../../../../src/protocol/study.ts';
import { type Script, writeScriptedModel } from '../../../fixtures/onnx/scripted-model.ts';
import { temporaryFolder } from '../../../fixtures/onnx/write-folder.ts';

const GREEDY = samplingSchema.parse({ temperature: 0, repetitionPenalty: 1 });
const THOUGHTS = [
  { content: '<think>', special: false },
  { content: '</think>', special: false },
];

/** As DeepSeek R1 has it: what was thought is cut out of earlier turns, and a reply begins with a thought. */
const CUTS =
  "{{ bos_token }}{% for m in messages %}{{ '<|' + m.role + '|>' }}{{ m.content.split('</think>')[-1] }}<|end|>{% endfor %}" +
  '{% if add_generation_prompt %}<|assistant|>PREFILL{% endif %}';
const template = (prefill: string): string => CUTS.replace('PREFILL', prefill);

interface Heard {
  text: string;
  tokens: SpokenToken[];
  steps: StepStates[];
  finish: string;
}

async function open(script: Script): Promise<OpenModel> {
  const folder = await writeScriptedModel(script);
  return openModel({ folder, provider: 'cpu', threads: 1, cacheFolder: await temporaryFolder() });
}

async function speak(script: Script, maxTokens = 32): Promise<Heard> {
  const model = await open(script);
  const heard: Heard = { text: '', tokens: [], steps: [], finish: '' };
  const steps = { layers: [1], every: 1 };
  const dialogue = openDialogue(model, { id: 'test', system: 'Talk.', sampling: GREEDY, steps });
  const { text, finish } = await dialogue.speak({
    seed: 1,
    maxTokens,
    mayLeave: false,
    onState: () => undefined,
    onToken: (token) => heard.tokens.push(token),
    onSteps: (states) => heard.steps.push(states),
  });
  await model.release();
  return { ...heard, text, finish };
}

const streamed = ({ tokens }: Heard): string => tokens.map(({ text }) => text).join('');
const roles = ({ steps }: Heard): string => steps.map(({ role }) => role[0]).join('');

describe('a model that reasons before it speaks', () => {
  const special = THOUGHTS.map((token) => ({ ...token, special: true }));
  it.each([
    [
      'where the prompt begins the thought',
      { after: '<think>', says: 'plot</think>Nice day.<|end|>', extra: THOUGHTS, prefill: '<think>' },
    ],
    [
      'in tokens that decoding leaves out',
      { after: '<think>', says: 'plot</think>Nice day.<|end|>', extra: special, prefill: '<think>' },
    ],
    [
      'where the model begins it itself',
      { after: '<|assistant|>', says: '<think>plot</think>Nice day.<|end|>', extra: THOUGHTS, prefill: '' },
    ],
    [
      'where only its end is marked',
      { after: '<|assistant|>', says: 'plot</think>Nice day.<|end|>', extra: THOUGHTS, prefill: '' },
    ],
  ])('says only what follows its reasoning, %s', async (_, { prefill, ...script }) => {
    const heard = await speak({ ...script, template: template(prefill) });
    expect(heard).toMatchObject({ text: 'Nice day.', finish: 'stop' });
    expect(streamed(heard)).toBe('Nice day.');
    expect(roles(heard)).toMatch(/^t{5,6}s{9}$/);
    const thoughts = heard.steps.filter(({ role }) => role === 'think');
    expect(
      thoughts
        .flatMap(({ bytes }) => bytes)
        .flat()
        .every((byte) => byte === 0),
    ).toBe(true);
    expect(heard.steps.at(-1)?.bytes).toEqual([[8, 9]]);
  });

  it('is made to speak if it reasons without an end', async () => {
    const pairs: [string, string][] = [
      ['a', 'a'],
      ['</think>', 'N'],
      ['N', '<|end|>'],
    ];
    const script = { after: '<think>', says: 'a', pairs, extra: THOUGHTS, template: template('<think>') };
    const heard = await speak(script, 4);
    expect(heard).toMatchObject({ text: 'N', finish: 'stop' });
    expect(roles(heard)).toMatch(/^t{400,510}s$/);
  });

  it('finds neither its reasoning nor a private-use character in the next prompt', async () => {
    const folder = await writeScriptedModel({
      after: '<think>',
      says: 'plot</think>Nice day.<|end|>',
      extra: THOUGHTS,
      template: template('<think>'),
    });
    const { prompt } = await tryModel({
      model: { folder, provider: 'cpu', threads: 1, cacheFolder: await temporaryFolder() },
      system: 'Talk.\u{F8FF}',
      turns: [
        { who: 'self', text: 'so</think>Hello.' },
        { who: 'peer', text: 'a\u{E000}b\u{F0E00}1\u{F0E00}c\u{F0E01}' },
      ],
      maxTokens: 4,
      sampling: GREEDY,
      seed: 1,
    });
    expect(prompt).not.toMatch(/\p{Co}/u);
    expect(prompt).toContain('Hello.');
    expect(prompt).toContain('ab1c');
  });
});
