/**
 * Prompts that do not fit are found before a run begins: what is asked, and an agent's answer over a real nats-server.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countPrompts } from '../../../src/agent-node/count-prompts.ts';
import { systemPrompt } from '../../../src/protocol/scenarios/system-prompt.ts';
import type { Fleet } from '../../../src/coordinator/fleet.ts';
import { checkPrompts, promptsOf, tooLong } from '../../../src/coordinator/check-prompt-lengths.ts';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Model } from '../../../src/model/types.ts';
import { studySchema, type Study } from '../../../src/protocol/study.ts';
import { subjects } from '../../../src/protocol/subjects.ts';
import { registerService } from '../../../src/transport/nats/services.ts';
import { openChatModel } from '../../fixtures/onnx/chat-model.ts';
import { startNats, type NatsFixture } from '../../fixtures/programs/nats-fixture.ts';
import { silentLog } from '../../fixtures/stream/stream-fixture.ts';

const person = (persona: string) => ({ persona, goal: '', secret: '' });
const study = (change: object = {}): Study =>
  studySchema.parse({
    name: 't',
    pairs: [['ada', 'ben']],
    scenarios: [
      { id: 'x', text: 'They meet.', people: [person('A'), person('B')], script: ['short', 'a longer line'] },
      { id: 'y', text: 'They part.', people: [person('C'), person('D')], script: ['z'] },
    ],
    episodes: 3,
    maxTokens: 8,
    ...change,
  });

describe('promptsOf', () => {
  it('names each prompt of an agent once, with its own person and the longest text that it reads', () => {
    const prompts = promptsOf(study({ conditions: ['live', 'monologue', 'shared-input'] }));
    expect([...prompts.keys()]).toEqual(['ada', 'ben']);
    expect(
      prompts.get('ben')?.map(({ scenario, person: { persona }, script }) => [scenario.id, persona, script]),
    ).toEqual([
      ['x', 'B', ''],
      ['x', 'B', 'a longer line'],
      ['y', 'D', ''],
      ['y', 'D', 'z'],
    ]);
  });

  it('has those of a reader', () => {
    const read = promptsOf(study({ conditions: ['reader'], reader: 'cas' }));
    expect(read.get('cas')?.map(({ person: { persona } }) => persona)).toEqual(['D', 'B']);
  });
});

describe('tooLong', () => {
  const prompts = promptsOf(study()).get('ada') ?? [];
  it('keeps room for an utterance that is heard and one that is spoken', () => {
    const answer = (most: number) => ({ model: 'm', contextTokens: 64, tokens: [10, most] });
    expect(tooLong({ agent: 'ada', prompts, study: study() }, answer(48))).toBeUndefined();
    expect(tooLong({ agent: 'ada', prompts, study: study() }, answer(49))).toMatch(
      /^The prompt of agent "ada" in scenario "y" takes 49 tokens, .* 8 each, but the context of its model m has 64: shorten/,
    );
  });
});

describe('a study before it begins', () => {
  let nats: NatsFixture;
  let parts: OpenModel;
  let stop: () => Promise<void>;
  let slowMs = 0;
  beforeAll(async () => {
    nats = await startNats(['coordinator', 'agent-ada', 'agent-ben']);
    parts = await openChatModel({ tokens: 'bytes', template: 'own' });
    const open: Model['open'] = (options) => Promise.resolve(openDialogue(parts, options));
    const answers = (text: string) => countPrompts({ info: parts.info, open }, text);
    const services = [
      await serve('ada', async (text) => {
        await sleep(slowMs);
        return answers(text);
      }),
      await serve('ben', answers),
    ];
    stop = async () => void (await Promise.all(services.map((service) => service.stop())));
  });
  afterAll(async () => {
    await stop();
    await parts.release();
    await nats.close();
  });

  const serve = async (agent: string, handle: (text: string) => Promise<string>) =>
    registerService(await nats.connect(`agent-${agent}`), {
      name: 'entrain-agent',
      version: '1.0.0',
      description: '',
      metadata: {},
      endpoints: [{ name: 'prompt-tokens', subject: subjects.promptTokens(agent), handle }],
    });

  const check = async (of: Study, present = ['ada']): Promise<void> => {
    const agents = new Map(present.map((agent) => [agent, { instance: 'i' }])) as unknown as Fleet['agents'];
    await checkPrompts(await nats.connect('coordinator'), {
      study: of,
      fleet: { agents } as Fleet,
      log: silentLog,
    });
  };

  it('is refused where a prompt is longer than the context, and begins where all fit', async () => {
    const long = { id: 'long', text: 'word '.repeat(780), people: [person('E'), person('F')] };
    const scenarios = [...study().scenarios, long];
    const told = promptsOf(study({ scenarios })).get('ada')?.at(-1);
    const longest = await tokensOf(told);
    // One token more than the longest prompt leaves; the others take a fraction of it.
    const maxTokens = Math.floor((parts.info.contextTokens - longest) / 2) + 1;
    expect(maxTokens).toBeGreaterThan(8);
    await check(study({ maxTokens }));
    await expect(check(study({ scenarios, maxTokens }))).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
      message: expect.stringMatching(/agent "ada" in scenario "long" takes \d+ tokens/) as string,
    });
    await expect(check(study({ maxTokens: parts.info.contextTokens }))).rejects.toMatchObject({
      code: 'CONTEXT_OVERFLOW',
    });
  });

  it('names the first prompt of the study that is too long, whichever agent answers first', async () => {
    slowMs = 300;
    await expect(check(study({ maxTokens: parts.info.contextTokens }), ['ada', 'ben'])).rejects.toMatchObject(
      {
        message: expect.stringMatching(/agent "ada" in scenario "x"/) as string,
      },
    );
  });

  const tokensOf = async (prompt: unknown): Promise<number> => {
    const open: Model['open'] = (options) => Promise.resolve(openDialogue(parts, options));
    const answer = await countPrompts({ info: parts.info, open }, JSON.stringify({ prompts: [prompt] }));
    return (JSON.parse(answer) as { tokens: [number] }).tokens[0];
  };

  it('counts what the prompt of the first turn really takes', async () => {
    const told = promptsOf(study()).get('ada')?.[0];
    if (!told) throw new Error('no prompt');
    const dialogue = openDialogue(parts, {
      id: 'd',
      system: systemPrompt(told),
      sampling: study().sampling,
      steps: null,
    });
    expect(await tokensOf(told)).toBe(await dialogue.promptTokens());
  });
});
