/** A dialogue that takes over the beginning of another's prompt has the bits of one that computed it itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDialogue } from '../../../../src/model/dialogue/dialogue.ts';
import { createPrefixCache } from '../../../../src/model/dialogue/prefix-cache.ts';
import { openModel, type OpenModel } from '../../../../src/model/worker/open-model.ts';
import type { LlamaStyle } from '../../../fixtures/onnx/llama-graph.ts';
import { DIALOGUE, writeChatModel } from '../../../fixtures/onnx/chat-model.ts';
import { temporaryFolder } from '../../../fixtures/onnx/write-folder.ts';

const STYLES: LlamaStyle[] = [{ style: 'torch' }, { style: 'genai' }];
/** As long as a scenario's: several chunks of 64 tokens. */
const LONG = `${DIALOGUE.system} The market is crowded, and it is about to rain. `.repeat(3);

describe.each(STYLES)('beginnings of prompts that dialogues share, $style', (style) => {
  let model: OpenModel;
  let passes = 0;
  beforeAll(async () => {
    const folder = await writeChatModel({ tokens: 'bytes', template: 'chatml', style });
    const cacheFolder = await temporaryFolder();
    model = await openModel({ folder, provider: 'cpu', threads: 1, cacheFolder }, () => passes++);
  });
  afterAll(() => model.release());

  /** Two turns of a dialogue, and how many passes they took. */
  const play = async (parts: OpenModel, system: string, opens = false) => {
    const before = passes;
    const dialogue = openDialogue(parts, { ...DIALOGUE, system });
    const seen: unknown[] = [];
    const see = (value: unknown): void => void seen.push(value);
    for (const turn of [0, 1]) {
      if (turn > 0 || !opens) await dialogue.heard('Hello, what do the red ones cost today?', see);
      const told = { maxTokens: 6, mayLeave: false, onState: see, onToken: see, onSteps: see };
      see((await dialogue.speak({ seed: turn, ...told })).text);
    }
    await dialogue.close();
    return { seen, passes: passes - before };
  };
  const sharing = (maxBytes = 2 ** 26): OpenModel => ({
    ...model,
    prefixes: createPrefixCache({ maxBytes, tokenBytes: model.info.cacheTokenBytes }),
  });

  it.each([false, true])(
    'are computed once, and give the same bits and words (opens the talk: %s)',
    async (opens) => {
      const shared = sharing();
      const alone = await play(model, LONG, opens);
      const first = await play(shared, LONG, opens);
      expect(first).toEqual(alone);
      // The second must leave the beginning as it was for the third.
      for (const later of [await play(shared, LONG, opens), await play(shared, LONG, opens)]) {
        expect(later.seen).toEqual(alone.seen);
        expect(later.passes).toBeLessThanOrEqual(first.passes - 3);
      }
    },
  );

  it('are not taken for another system prompt', async () => {
    const shared = sharing();
    await play(shared, LONG);
    const other = `You are Ben. ${LONG}`;
    expect(await play(shared, other)).toEqual(await play(model, other));
  });

  it('are given up, the one used longest ago first, where there is no room', async () => {
    const tokens = model.tokenizer.encode(LONG).length;
    const shared = sharing(2.5 * tokens * model.info.cacheTokenBytes);
    const systems = [LONG, `Ada. ${LONG}`, `Ben. ${LONG}`];
    const whole = (await play(model, LONG)).passes;
    for (const system of systems) await play(shared, system);
    expect((await play(shared, systems[2] as string)).passes).toBeLessThan(whole);
    expect((await play(shared, systems[0] as string)).passes).toBe(whole);
  });
});
