/** The model in its worker thread, as an agent uses it. */
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadModel } from '../../../../src/model/worker/load-model.ts';
import type {
  Dialogue,
  Model,
  Spoken,
  SpokenToken,
  StepStates,
  TurnState,
} from '../../../../src/model/types.ts';
import { DIALOGUE, writeChatModel } from '../../../fixtures/onnx/chat-model.ts';
import { temporaryFolder } from '../../../fixtures/onnx/write-folder.ts';

interface Taken {
  spoken: Spoken;
  tokens: SpokenToken[];
  states: TurnState[];
  steps: StepStates[];
}

async function take(dialogue: Dialogue, seed: number, onToken?: (sofar: string) => void): Promise<Taken> {
  const taken: Omit<Taken, 'spoken'> = { tokens: [], states: [], steps: [] };
  let sofar = '';
  const spoken = await dialogue.speak({
    seed,
    maxTokens: 20,
    mayLeave: false,
    onState: (state) => taken.states.push(state),
    onToken: (token) => {
      taken.tokens.push(token);
      onToken?.((sofar += token.text));
    },
    onSteps: (states) => taken.steps.push(states),
  });
  return { spoken, ...taken };
}

/** Waits until nothing was added for a while that is many times a step. */
async function untilQuiet(list: readonly number[]): Promise<readonly number[]> {
  for (let seen = -1, quiet = 0; quiet < 10; seen = list.length) {
    quiet = list.length === seen ? quiet + 1 : 0;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return [...list];
}

describe('a model in its worker', () => {
  let models: Model[];
  beforeAll(async () => {
    const folders = [
      await writeChatModel({ tokens: 'bytes', template: 'own', context: 512 }),
      await writeChatModel({ tokens: 'metaspace', template: 'instruct' }),
    ];
    const cacheFolder = await temporaryFolder();
    models = await Promise.all(
      folders.map((folder) => loadModel({ folder, provider: 'cpu', threads: 1, cacheFolder })),
    );
  });
  afterAll(() => Promise.all(models.map((model) => model.stop())));

  it('sends a token and the states before it in one message', async () => {
    const dialogue = await models[0]?.open(DIALOGUE);
    if (!dialogue) throw new Error('a dialogue expected');
    const emitted = vi.spyOn(Worker.prototype, 'emit');
    const { tokens, steps } = await take(dialogue, 1);
    const messages = emitted.mock.calls.filter(([event]) => event === 'message').length;
    emitted.mockRestore();
    expect(steps.length).toBe(tokens.length);
    // one before each pass, what the last pass gave, and the answer
    expect(messages).toBeLessThanOrEqual(tokens.length + 2);
  });

  it('talks for 16 turns with a model of another tokenizer, listening to its tokens', async () => {
    const [a, b] = await Promise.all(models.map((model) => model.open(DIALOGUE)));
    if (!a || !b) throw new Error('two dialogues expected');
    let [speaker, listener] = [a, b];
    const heardSteps: StepStates[] = [];
    for (let turn = 0; turn < 16; turn++) {
      const hearing: Promise<void>[] = [];
      const onSteps = (states: StepStates): number => heardSteps.push(states);
      const { spoken, tokens, states, steps } = await take(speaker, turn, (sofar) => {
        hearing.push(listener.hear(sofar, onSteps));
      });
      expect(states[0]?.data.length).toBe(3 * 48);
      expect(
        tokens
          .map(({ text }) => text)
          .join('')
          .trim(),
      ).toBe(spoken.text);
      expect(steps.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBe(spoken.tokens);
      await Promise.all(hearing);
      await listener.heard(spoken.text, onSteps);
      [speaker, listener] = [listener, speaker];
    }
    expect(heardSteps.length).toBeGreaterThan(16);
    expect(
      heardSteps.every(
        ({ role, data, bytes, layers }) =>
          role === 'listen' && data.length === bytes.length * layers.length * 48,
      ),
    ).toBe(true);
  });

  it('says the same with the same seed and something else with another', async () => {
    const texts = [];
    for (const seed of [11, 11, 12]) {
      const dialogue = await (models[0] as Model).open(DIALOGUE);
      texts.push((await take(dialogue, seed)).spoken.text);
      await dialogue.close();
    }
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).not.toBe(texts[0]);
  });

  it('drops the oldest turns when the context is full, and says so', async () => {
    const [first, second] = [
      await (models[0] as Model).open(DIALOGUE),
      await (models[0] as Model).open(DIALOGUE),
    ];
    let dropped = 0;
    for (let turn = 0; turn < 12; turn++) {
      const words = `This is turn ${turn}, and I say again that I would like to buy some apples for my mother today.`;
      for (const dialogue of [first, second]) await dialogue.heard(words, () => undefined);
      const { spoken, states } = await take(first, turn);
      dropped += spoken.droppedTurns;
      // What was dropped is a matter of the text alone, so one that only recalls drops the same.
      if (turn === 11) expect((await take(second, turn)).states[0]?.data).toEqual(states[0]?.data);
      else await second.recall(spoken.text);
      expect(states[0]?.promptText).toContain(DIALOGUE.system);
    }
    expect(dropped).toBeGreaterThan(2);
  });

  it('refuses a prompt that cannot fit, by its code', async () => {
    const dialogue = await (models[0] as Model).open({
      ...DIALOGUE,
      system: 'apples and coins '.repeat(200),
    });
    await expect(take(dialogue, 1)).rejects.toMatchObject({ code: 'CONTEXT_OVERFLOW' });
  });

  it('keeps the main thread free during a long prefill', async () => {
    const dialogue = await (models[1] as Model).open({
      ...DIALOGUE,
      system: 'apples and coins '.repeat(900),
    });
    let beats = 0;
    const timer = setInterval(() => beats++, 5);
    await take(dialogue, 1);
    clearInterval(timer);
    expect(beats).toBeGreaterThan(5);
  });

  it('says nothing while it is paused, and continues afterwards', async () => {
    const model = models[0] as Model;
    const dialogue = await model.open(DIALOGUE);
    const tokens: number[] = [];
    let started = (): void => undefined;
    const first = new Promise<void>((resolve) => (started = resolve));
    const taken = take(dialogue, 3, () => {
      tokens.push(tokens.length);
      model.pause();
      started();
    });
    await first;
    // A pass that had begun may still end; after it there is silence.
    const { length: before } = await untilQuiet(tokens);
    expect(before).toBeLessThan(20);
    const going = setInterval(() => model.resume(), 1);
    expect((await taken).spoken.tokens).toBeGreaterThan(before);
    clearInterval(going);
    model.resume();
  });

  it('rejects waiting calls when the worker dies', async () => {
    const model = await loadModel({
      folder: await writeChatModel({ tokens: 'bytes', template: 'own' }),
      provider: 'cpu',
      threads: 1,
      cacheFolder: await temporaryFolder(),
    });
    const dialogue = await model.open(DIALOGUE);
    const speaking = take(dialogue, 1);
    await Promise.all([expect(speaking).rejects.toThrow('worker'), model.stop()]);
    expect((await model.failed).message).toContain('worker');
  });
});
