/** A peer that says more than a listener's context holds costs it nothing but the rest of those words. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDialogue } from '../../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../../src/model/worker/open-model.ts';
import type { Dialogue, Spoken, TurnState } from '../../../../src/model/types.ts';
import { DIALOGUE, openChatModel } from '../../../fixtures/onnx/chat-model.ts';

const CONTEXT = 256;
const LONG = 'I would like to buy some apples for my mother, and she would like some too. '.repeat(100);

let model: OpenModel;
beforeAll(
  async () => void (model = await openChatModel({ tokens: 'bytes', template: 'own', context: CONTEXT })),
);
afterAll(() => model.release());

async function speak(dialogue: Dialogue): Promise<{ spoken: Spoken; state: TurnState }> {
  let state: TurnState | undefined;
  const spoken = await dialogue.speak({
    seed: 1,
    maxTokens: 8,
    mayLeave: false,
    onState: (read) => (state = read),
    onToken: () => undefined,
    onSteps: () => undefined,
  });
  return { spoken, state: state as TurnState };
}

describe('words that alone exceed the context', () => {
  it('are cut where half of the room is full, and the reply and later turns go on', async () => {
    const dialogue = openDialogue(model, DIALOGUE);
    await dialogue.heard(LONG, () => undefined);
    const { spoken, state } = await speak(dialogue);
    expect(spoken).toMatchObject({ tokens: 8, droppedTurns: 0 });
    const [system = '', heard = ''] = state.promptText.split('\n');
    expect(system).toBe(DIALOGUE.system);
    expect(LONG.startsWith(heard)).toBe(true);
    const room = CONTEXT - model.tokenizer.encode(DIALOGUE.system).length;
    const taken = model.tokenizer.encode(heard).length;
    expect(taken).toBeGreaterThan(room / 2 - 10);
    expect(taken).toBeLessThanOrEqual(room / 2);
    await dialogue.heard('Good.', () => undefined);
    expect((await speak(dialogue)).state.promptText).toContain('Good.');
  });

  it('leave the same states to the one who takes over', async () => {
    const [own, other] = [openDialogue(model, DIALOGUE), openDialogue(model, DIALOGUE)];
    for (const dialogue of [own, other]) await dialogue.heard(LONG, () => undefined);
    await other.recall((await speak(own)).spoken.text);
    for (const dialogue of [own, other]) await dialogue.heard(LONG, () => undefined);
    expect(await other.turnState()).toEqual(await own.turnState());
  });

  it('are not looked at beyond what any model could hold, whoever says them', async () => {
    const dialogue = openDialogue(model, DIALOGUE);
    const startMs = performance.now();
    await dialogue.heard(`x${'\n'.repeat(2_000_000)}x`, () => undefined);
    await dialogue.heard('You: '.repeat(200_000), () => undefined);
    await speak(dialogue);
    expect(performance.now() - startMs).toBeLessThan(10_000);
  });
});
