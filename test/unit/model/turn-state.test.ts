/** The state in which a turn would be taken is that of a full prefill, costs no second reading, and leaves no trace. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Turn } from '../../../src/model/text/template-roles.ts';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Dialogue, Spoken, TurnState } from '../../../src/model/types.ts';
import { type ChatModelChoice, DIALOGUE, openChatModel } from '../../fixtures/onnx/chat-model.ts';
import { cosine, fullPrefill, SENTENCES } from '../../fixtures/model/full-prefill.ts';

const CHOICES: ChatModelChoice[] = [
  { tokens: 'bytes', template: 'chatml' },
  { tokens: 'metaspace', template: 'instruct' },
  { tokens: 'bytes', template: 'own', style: { style: 'genai' } },
];

const sentence = (turn: number): string => SENTENCES[turn % SENTENCES.length] ?? '';

async function speak(dialogue: Dialogue): Promise<{ spoken: Spoken; state: TurnState }> {
  let state: TurnState | undefined;
  const spoken = await dialogue.speak({
    seed: 3,
    maxTokens: 8,
    mayLeave: false,
    onState: (seen) => (state = seen),
    onToken: () => undefined,
    onSteps: () => undefined,
  });
  if (!state) throw new Error('a turn without a state');
  return { spoken, state };
}

/** The model, and how many tokens went through it. */
function counted(model: OpenModel): { model: OpenModel; tokens(): number } {
  let tokens = 0;
  const openDecoder = (): ReturnType<OpenModel['openDecoder']> => {
    const decoder = model.openDecoder();
    return {
      cache: decoder.cache,
      run: (ids, layers) => {
        tokens += ids.length;
        return decoder.run(ids, layers);
      },
      fork: () => decoder.fork(),
      close: () => decoder.close(),
    };
  };
  return { model: { ...model, openDecoder }, tokens: () => tokens };
}

describe.each(CHOICES)('a state without speaking, $tokens tokens, $template template', (choice) => {
  let model: OpenModel;
  beforeAll(async () => void (model = await openChatModel(choice)));
  afterAll(() => model.release());

  it('is the state of a full prefill at each of 16 turns, and no token of the dialogue is read twice', async () => {
    const { model: watched, tokens } = counted(model);
    const dialogue = openDialogue(watched, DIALOGUE);
    const turns: Turn[] = [];
    let templates = 0;
    for (let turn = 0; turn < 16; turn += 1) {
      await dialogue.heard(sentence(turn), () => undefined);
      turns.push({ who: 'peer', text: sentence(turn) });
      const { data, words } = await dialogue.turnState();
      const expected = await fullPrefill(model, turns);
      const { dims } = model.info;
      expect(cosine(words, expected.words)).toBeGreaterThan(0.999999);
      for (const [i, layer] of expected.last.entries())
        expect(cosine(data.subarray(i * dims, (i + 1) * dims), layer)).toBeGreaterThan(0.9999);
      await dialogue.recall(sentence(turn + 1));
      turns.push({ who: 'self', text: sentence(turn + 1) });
      templates += model.tokenizer.encode(model.template.render('', [], true).text).length;
    }
    const whole = model.tokenizer.encode(model.template.render(DIALOGUE.system, turns, true).text).length;
    // What opens a reply may be tokenised otherwise once there are words behind it.
    expect(tokens()).toBeLessThanOrEqual(whole + 16 * 2 + templates);
  });

  it('equals the state when speaking, and changes nothing of what is said', async () => {
    const [asked, plain] = [openDialogue(model, DIALOGUE), openDialogue(model, DIALOGUE)];
    for (let turn = 0; turn < 3; turn += 1) {
      for (const dialogue of [asked, plain]) await dialogue.heard(sentence(turn), () => undefined);
      const states = [await asked.turnState(), await asked.turnState()];
      const [one, two] = [await speak(asked), await speak(plain)];
      expect(states).toEqual([two.state, two.state]);
      expect(one.state).toEqual(two.state);
      expect(one.spoken.text).toBe(two.spoken.text);
    }
  });

  it('drops old turns by the same policy as speaking', async () => {
    const small = await openChatModel({ ...choice, context: 256 });
    const [asked, plain] = [openDialogue(small, DIALOGUE), openDialogue(small, DIALOGUE)];
    for (let turn = 0; turn < 5; turn += 1) {
      for (const dialogue of [asked, plain]) await dialogue.heard(sentence(turn), () => undefined);
      const state = await asked.turnState();
      const { spoken, state: expected } = await speak(plain);
      expect(state).toEqual(expected);
      await asked.recall(spoken.text);
    }
    await small.release();
  });
});
