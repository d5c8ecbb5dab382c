/**
 * What might have been said or heard at a turn: the same history, other seeds or other words, no trace in the dialogue.
 * Held against dialogues of their own, which know nothing of branches.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDialogue } from '../../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../../src/model/worker/open-model.ts';
import type { Branch, Dialogue, DialogueOptions, Spoken, StepStates } from '../../../../src/model/types.ts';
import { type ChatModelChoice, DIALOGUE, openChatModel } from '../../../fixtures/onnx/chat-model.ts';
import { SENTENCES } from '../../../fixtures/model/full-prefill.ts';

const CHOICES: ChatModelChoice[] = [
  { tokens: 'bytes', template: 'chatml' },
  { tokens: 'metaspace', template: 'instruct' },
  { tokens: 'bytes', template: 'own', style: { style: 'genai' } },
];
const PLAIN: DialogueOptions = { ...DIALOGUE, steps: null };
const quiet = (): undefined => undefined;
const sentence = (turn: number): string => SENTENCES[turn % SENTENCES.length] ?? '';

interface Said extends Spoken {
  branches: Branch[];
  steps: StepStates[];
  words: string;
}

async function speak(dialogue: Dialogue, seed: number, seeds: readonly number[] = []): Promise<Said> {
  const branches: Branch[] = [];
  const steps: StepStates[] = [];
  let words = '';
  const spoken = await dialogue.speak({
    seed,
    maxTokens: 8,
    mayLeave: true,
    ...(seeds.length > 0 ? { branches: { seeds, onBranch: (branch) => branches.push(branch) } } : {}),
    onState: quiet,
    onToken: ({ text }) => (words += text),
    onSteps: (states) => steps.push(states),
  });
  return { ...spoken, branches, steps, words };
}

/** [tokens, layers, dims] of an utterance's published tokens, layers 1..L, as steps show them. */
function rowsOf({ steps }: Said, { layers, dims }: { layers: number; dims: number }): Float32Array[] {
  return steps
    .filter(({ role }) => role === 'speak')
    .flatMap(({ data, bytes }) =>
      bytes.map((_, i) => data.subarray(i * (layers + 1) * dims + dims, (i + 1) * (layers + 1) * dims)),
    );
}

const meanOf = (rows: readonly Float32Array[]): Float32Array =>
  Float32Array.from(rows[0] ?? [], (_, i) => rows.reduce((sum, row) => sum + (row[i] ?? 0), 0) / rows.length);

describe.each(CHOICES)('a turn that branches, $tokens tokens, $template template', (choice) => {
  let model: OpenModel;
  beforeAll(async () => void (model = await openChatModel(choice)));
  afterAll(() => model.release());

  it('says for each seed what a dialogue with the same history says with it', async () => {
    const dialogue = openDialogue(model, PLAIN);
    await dialogue.heard(sentence(0), quiet);
    const { branches } = await speak(dialogue, 3, [4, 5, 6]);
    expect(branches.map(({ k }) => k)).toEqual([0, 1, 2, 3]);
    for (const [i, seed] of [3, 4, 5, 6].entries()) {
      const alone = openDialogue(model, DIALOGUE);
      await alone.heard(sentence(0), quiet);
      const said = await speak(alone, seed);
      const { text, finish, tokens, end, mean } = branches[i] as Branch;
      expect({ text, finish, tokens }).toEqual({ text: said.text, finish: said.finish, tokens: said.tokens });
      const rows = rowsOf(said, model.info);
      expect(end).toEqual(rows.at(-1));
      for (const [at, value] of meanOf(rows).entries()) expect(mean[at]).toBeCloseTo(value, 5);
    }
  });

  it('leaves the dialogue unchanged: words, steps and states of all later turns equal those without branches', async () => {
    const [branching, plain] = [openDialogue(model, DIALOGUE), openDialogue(model, DIALOGUE)];
    for (let turn = 0; turn < 4; turn += 1) {
      for (const dialogue of [branching, plain]) await dialogue.heard(sentence(turn), quiet);
      await branching.replyStates([sentence(turn + 1), '', 'No.']);
      const [one, two] = [await speak(branching, turn, [7, 8]), await speak(plain, turn)];
      expect(one.branches).toHaveLength(3);
      expect({ ...one, branches: [], firstTokenMs: 0, totalMs: 0 }).toEqual({
        ...two,
        firstTokenMs: 0,
        totalMs: 0,
      });
      expect(await branching.turnState()).toEqual(await plain.turnState());
    }
  });

  it('gives the state of a bystander who heard each utterance and nothing before it', async () => {
    const dialogue = openDialogue(model, PLAIN);
    await dialogue.heard(sentence(0), quiet);
    const { branches } = await speak(dialogue, 3, [4]);
    for (const { text, bystander } of branches) {
      const alone = openDialogue(model, { ...PLAIN, system: '' });
      await alone.heard(text, quiet);
      expect(bystander).toEqual((await alone.turnState()).data);
    }
  });

  it('gives a listener the states after each version of the last turn, what was really said first', async () => {
    const versions = [sentence(1), 'No.', '', sentence(2)];
    const listen = async (text: string): Promise<Dialogue> => {
      const dialogue = openDialogue(model, PLAIN);
      await dialogue.heard(sentence(0), quiet);
      await dialogue.recall('Yes?');
      await dialogue.heard(text, quiet);
      return dialogue;
    };
    const dialogue = await listen(sentence(1));
    const replies = await dialogue.replyStates(versions.slice(1));
    for (const [k, text] of versions.entries())
      expect(replies?.states[k]).toEqual((await (await listen(text)).turnState()).data);
    const afterScript = await dialogue.replyStates(versions.slice(1), 'A bell rings.');
    for (const [k, text] of versions.entries()) {
      const other = await listen(text);
      await other.heard('A bell rings.', quiet);
      expect(afterScript?.states[k]).toEqual((await other.turnState()).data);
    }
  });

  it('gives a listener that did not hear the turn one state, repeated for each version', async () => {
    const dialogue = openDialogue(model, PLAIN);
    await dialogue.recall(sentence(0));
    await dialogue.missed();
    const replies = await dialogue.replyStates(['No.', 'Yes!']);
    const { data } = await dialogue.turnState();
    expect(replies?.states).toEqual([data, data, data]);
  });
});

describe('a turn that branches near the end of the context', () => {
  it('has no branches if prompt and reply exceed the share at which turns are dropped', async () => {
    const model = await openChatModel({ tokens: 'bytes', template: 'own', context: 256 });
    const dialogue = openDialogue(model, PLAIN);
    const seen: [tokens: number, branches: number, replies: number][] = [];
    for (let turn = 0; turn < 6; turn += 1) {
      await dialogue.heard(sentence(0), quiet);
      const replies = await dialogue.replyStates(['x']);
      const tokens = await dialogue.promptTokens();
      const { branches } = await speak(dialogue, turn, [9]);
      seen.push([tokens, branches.length, replies?.states.length ?? 0]);
    }
    // Above 192 tokens turns are dropped: then the prompt that is spoken from is a shorter one.
    for (const [tokens, branches, replies] of seen) {
      expect(replies).toBe(tokens <= 192 ? 2 : 0);
      if (tokens <= 192) expect(branches).toBe(tokens + 8 <= 192 ? 2 : 0);
    }
    expect(new Set(seen.map(([, , replies]) => replies))).toEqual(new Set([0, 2]));
    await model.release();
  });
});
