/** Every option of how a reply is chosen and ended does what it says, through a real model. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Spoken } from '../../../src/model/types.ts';
import { samplingSchema, type Sampling } from '../../../src/protocol/study.ts';
import { DIALOGUE, openChatModel } from '../../fixtures/onnx/chat-model.ts';

const FREE: Sampling = samplingSchema.parse({ temperature: 1, topP: 1, repetitionPenalty: 1 });

describe('speaking', () => {
  let model: OpenModel;
  beforeAll(async () => void (model = await openChatModel({ tokens: 'bytes', template: 'own' })));
  afterAll(() => model.release());

  const speak = (sampling: Partial<Sampling>, { seed = 1, maxTokens = 16 } = {}): Promise<Spoken> =>
    openDialogue(model, { ...DIALOGUE, sampling: { ...FREE, ...sampling } }).speak({
      seed,
      maxTokens,
      mayLeave: false,
      onState: () => undefined,
      onToken: () => undefined,
      onSteps: () => undefined,
    });
  const say = async (sampling: Partial<Sampling>, seed?: number): Promise<string> =>
    (await speak(sampling, seed === undefined ? {} : { seed })).text;

  it('repeats itself with the same seed, and differs with another', async () => {
    const [one, same, other] = [await say({}, 1), await say({}, 1), await say({}, 2)];
    expect(same).toBe(one);
    expect(other).not.toBe(one);
  });

  it.each([{ temperature: 0 }, { topK: 1 }, { topP: 1e-6 }, { minP: 1 }] satisfies Partial<Sampling>[])(
    'takes the likeliest token with %j, whatever the seed',
    async (sampling) => {
      const greedy = await say({ temperature: 0 });
      expect([await say(sampling, 1), await say(sampling, 2)]).toEqual([greedy, greedy]);
      // Else this would hold for any text.
      expect(await say({}, 2)).not.toBe(greedy);
    },
  );

  it('repeats itself less with a repetition penalty', async () => {
    const kinds = (text: string): number => new Set(text).size;
    const [plain, penalised] = [
      await say({ temperature: 0 }),
      await say({ temperature: 0, repetitionPenalty: 2 }),
    ];
    expect(kinds(penalised)).toBeGreaterThan(kinds(plain));
  });

  it('says at most maxTokens tokens', async () => {
    expect(await speak({ temperature: 0 }, { maxTokens: 5 })).toMatchObject({ finish: 'length', tokens: 5 });
  });

  it('ends where a stop string begins, and leaves it out', async () => {
    const { text: whole, tokens } = await speak({});
    const stop = whole.slice(4, 6);
    const cut = await speak({ stops: ['not in there', stop] });
    expect(cut.text).toBe(whole.slice(0, whole.indexOf(stop)).trim());
    expect(cut.finish).toBe('stop');
    expect(cut.tokens).toBeLessThan(tokens);
  });
});
