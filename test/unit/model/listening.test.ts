/**
 * What an agent computed while it listened is what it would have computed from the finished words, whatever way they
 * came.
 */
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Turn } from '../../../src/model/text/template-roles.ts';
import type { Decoder } from '../../../src/model/runtime/decoder.ts';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Dialogue, Spoken, StepStates, TurnState } from '../../../src/model/types.ts';
import { type ChatModelChoice, DIALOGUE, openChatModel } from '../../fixtures/onnx/chat-model.ts';
import { cosine, fullPrefill, SENTENCES } from '../../fixtures/model/full-prefill.ts';

interface Heard {
  steps: Map<number, StepStates>;
  state: TurnState;
  spoken: Spoken;
}

/** Later states of a step take the place of earlier ones, as in a recording. */
function keep(steps: Map<number, StepStates>, states: StepStates): void {
  for (const step of steps.keys()) if (step >= states.step0) steps.delete(step);
  steps.set(states.step0, states);
}

async function exchange(dialogue: Dialogue, parts: string[], seed: number): Promise<Heard> {
  const steps = new Map<number, StepStates>();
  const text = parts.join('');
  let sofar = '';
  for (const part of parts) {
    sofar += part;
    await dialogue.hear(sofar, (states) => keep(steps, states));
  }
  await dialogue.heard(text, (states) => keep(steps, states));
  return { steps, ...(await reply(dialogue, seed)) };
}

async function reply(dialogue: Dialogue, seed: number): Promise<{ state: TurnState; spoken: Spoken }> {
  let state: TurnState | undefined;
  const spoken = await dialogue.speak({
    seed,
    maxTokens: 12,
    mayLeave: false,
    onState: (seen) => (state = seen),
    onToken: () => undefined,
    onSteps: () => undefined,
  });
  if (!state) throw new Error('a turn without a state');
  return { state, spoken };
}

function cutAt(text: string, cuts: readonly number[]): string[] {
  const places = [...new Set(cuts.map((cut) => cut % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((place, i) => text.slice(place, places[i] ?? text.length));
}

const CHOICES: ChatModelChoice[] = [
  { tokens: 'bytes', template: 'own' },
  { tokens: 'metaspace', template: 'own' },
  { tokens: 'bytes', template: 'chatml' },
  { tokens: 'metaspace', template: 'instruct' },
  { tokens: 'bytes', template: 'own', style: { style: 'genai' } },
];

describe.each(CHOICES)('listening with $tokens tokens and the $template template', (choice) => {
  let model: OpenModel;
  beforeAll(async () => {
    model = await openChatModel(choice);
  });
  afterAll(() => model.release());
  const open = (): Dialogue => openDialogue(model, DIALOGUE);

  it('gives the state of a full prefill at every layer, for 16 turns', async () => {
    const dialogue = open();
    const turns: Turn[] = [];
    for (let turn = 0; turn < 16; turn++) {
      const text = SENTENCES[turn % SENTENCES.length] ?? '';
      turns.push({ who: 'peer', text });
      const { state, spoken } = await exchange(dialogue, text.split(/(?<= )/), turn);
      const expected = await fullPrefill(model, turns);
      expect(cosine(state.words, expected.words)).toBeGreaterThan(0.999999);
      for (const [i, layer] of expected.last.entries()) {
        const { dims } = model.info;
        expect(cosine(state.data.subarray(i * dims, (i + 1) * dims), layer)).toBeGreaterThan(0.9999);
      }
      turns.push({ who: 'self', text: spoken.text });
    }
  });

  it('gives the same states and the same reply however any text is cut', async () => {
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 120 }), fc.constantFrom(...SENTENCES));
    const cuts = fc.array(fc.nat(200), { maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(text, cuts, fc.nat(1000), async (words, places, seed) => {
        const [one, two] = [open(), open()];
        const opening = [await reply(one, seed), await reply(two, seed)];
        expect(opening[0]?.spoken.text).toBe(opening[1]?.spoken.text);
        const whole = await exchange(one, [words], seed);
        const parts = await exchange(two, cutAt(words, places), seed);
        expect(parts.state).toEqual(whole.state);
        expect(parts.spoken.text).toBe(whole.spoken.text);
        expect(flatten(parts.steps)).toEqual(flatten(whole.steps));
      }),
      { numRuns: 25 },
    );
  });

  it('gives the same bits when another agent takes the dialogue over', async () => {
    const first = open();
    const opening = await reply(first, 3);
    const answer = await exchange(first, ['I would pay ', 'three coins, not more.'], 4);
    await first.missed();
    const { state } = await reply(first, 5);
    const second = open();
    await second.recall(opening.spoken.text);
    await second.heard('I would pay three coins, not more.', () => undefined);
    await second.recall(answer.spoken.text);
    await second.missed();
    expect((await reply(second, 5)).state).toEqual(state);
  });

  it('leaves nothing to compute when the words that seemed finished were complete', async () => {
    const passes: number[] = [];
    const counted: OpenModel = {
      ...model,
      openDecoder: () => {
        const decoder = model.openDecoder();
        const run: Decoder['run'] = (ids, layers) => {
          passes.push(ids.length);
          return decoder.run(ids, layers);
        };
        return { cache: decoder.cache, run, fork: () => decoder.fork(), close: () => decoder.close() };
      },
    };
    const dialogue = openDialogue(counted, DIALOGUE);
    const text = 'Two coins each? That is too much for my mother, please.';
    await dialogue.hear(text, () => undefined);
    const ahead = passes.length;
    await dialogue.heard(text, () => undefined);
    expect(passes.length).toBe(ahead);
    await reply(dialogue, 1);
    // Its tokens only, one by one.
    expect(passes.slice(ahead).every((tokens) => tokens === 1)).toBe(true);
  });

  it('reports the steps of words that seemed finished once they are, and never of words that were not', async () => {
    const told: string[] = [];
    const tell = (when: string) => (states: StepStates) =>
      void told.push(...states.bytes.map(([byte0]) => `${when} ${byte0}`));
    const dialogue = open();
    await dialogue.hear('Yes.', tell('early'));
    expect(told).toEqual([]);
    await dialogue.heard('Yes.', tell('sure'));
    expect(told[0]).toBe('sure 0');
  });

  it.each(['Yes \u{FFFD}', 'Yes. \u{FFFD}\u{FFFD}', '\u{FFFD}'])(
    'gives the byte ranges of all words of %j',
    async (text) => {
      const steps = new Map<number, StepStates>();
      const dialogue = open();
      for (let end = 1; end <= text.length; end++)
        await dialogue.hear(text.slice(0, end), (states) => keep(steps, states));
      await dialogue.heard(text, (states) => keep(steps, states));
      const bytes = [...steps.values()].sort((a, b) => a.step0 - b.step0).flatMap((states) => states.bytes);
      expect(bytes[0]?.[0]).toBe(0);
      expect(bytes.at(-1)?.[1]).toBe(Buffer.byteLength(text));
      expect(bytes.every(([byte0], i) => byte0 === (bytes[i - 1]?.[1] ?? 0))).toBe(true);
    },
  );

  it('rewinds the cache when the finished words differ from those heard', async () => {
    const [misled, plain] = [open(), open()];
    await misled.hear(
      'I would like to buy ten pears and a horse, and also a little house by the sea ',
      () => undefined,
    );
    const text = 'I would like to buy ten apples for my mother today.';
    expect((await exchange(misled, [text], 1)).state).toEqual((await exchange(plain, [text], 1)).state);
  });
});

/** The steps of an utterance in order, without the frames they came in. */
function flatten(steps: Map<number, StepStates>): unknown[] {
  return [...steps.values()]
    .sort((a, b) => a.step0 - b.step0)
    .map(({ step0, bytes, data }) => ({ step0, bytes, data }));
}
