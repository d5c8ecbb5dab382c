import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type EpisodePorts, hearsTurn, playEpisode } from '../../../src/agent-node/play-episode.ts';
import { createAgentMetrics } from '../../../src/agent-node/metrics.ts';
import { createPreview } from '../../../src/agent-node/preview.ts';
import { systemPrompt } from '../../../src/agent-node/system-prompt.ts';
import { createUtteranceBox } from '../../../src/agent-node/utterance-inbox.ts';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Model, TurnState } from '../../../src/model/types.ts';
import type { AgentSpec, Utterance } from '../../../src/protocol/control.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import type { Frame } from '../../../src/transport/stream/sender.ts';
import { DIALOGUE, openChatModel } from '../../fixtures/onnx/chat-model.ts';

describe('hearsTurn', () => {
  const share = (dose: number): number =>
    Array.from({ length: 2000 }, (_, seed) => hearsTurn({ hears: { dose }, seed }, 3)).filter(Boolean)
      .length / 2000;

  it('hears all, none, or the share that the dose says, and the same whenever it is asked', () => {
    expect(hearsTurn({ hears: 'all', seed: 1 }, 0)).toBe(true);
    expect(hearsTurn({ hears: 'none', seed: 1 }, 0)).toBe(false);
    expect(share(0)).toBe(0);
    expect(share(1)).toBe(1);
    expect(share(0.3)).toBeCloseTo(0.3, 1);
    expect(share(0.3)).toBe(share(0.3));
  });
});

describe('systemPrompt', () => {
  it('gives a line for what there is, in a fixed order', () => {
    const scenario = { id: 'x', text: 'Two people meet.' };
    expect(systemPrompt({ scenario, person: { persona: 'I bake.', goal: '', secret: ' I am shy. ' } })).toBe(
      'Scenario: Two people meet.\nYou: I bake.\nSecret: I am shy.',
    );
  });
});

const SPEC: AgentSpec = {
  run: 'test',
  episode: 'one',
  scenario: { id: 'market', text: 'Two people meet on the market.' },
  pair: 'ada-ben',
  condition: 'reader',
  hears: 'all',
  order: ['ada', 'ben'],
  role: 1,
  speaks: false,
  seating: 0,
  models: [],
  person: { persona: 'I only read.', goal: '', secret: '' },
  seed: 5,
  limits: { maxTurns: 6, minTurns: 6, maxTokens: 8 },
  sampling: DIALOGUE.sampling,
  steps: null,
  history: [],
};

const TEXTS = ['Hello, how are you?', 'Very well!', 'Apples?', 'Two coins each.', 'That is too much.', 'No.'];

function utterance(turn: number): Utterance {
  const place = { stream: 's', epoch: 0, lastSeq: 0 };
  const text = TEXTS[turn] ?? '';
  return { episode: 'one', turn, agent: '', text, finish: 'stop', tokens: 1, droppedTurns: 0, ...place };
}

describe('a reader', () => {
  let parts: OpenModel;
  beforeAll(async () => void (parts = await openChatModel({ tokens: 'bytes', template: 'own' })));
  afterAll(() => parts.release());

  /** Plays the episode as a reader. @returns its turn frames, and how many dialogues it opened */
  async function read(): Promise<{ frames: Frame[]; opened: number }> {
    const frames: Frame[] = [];
    let opened = 0;
    const open: Model['open'] = (options) => {
      opened += 1;
      return Promise.resolve(openDialogue(parts, options));
    };
    const utterances = createUtteranceBox();
    for (const turn of TEXTS.keys()) utterances.put(utterance(turn));
    const ports: EpisodePorts = {
      agent: 'cas',
      stream: 'cas',
      model: { info: parts.info, open } as Model,
      frames: {
        epoch: 0,
        append: (frame) => frames.push(frame),
        lastSeq: () => frames.length,
        room: () => Promise.resolve(),
        sinceEpochNs: () => 0,
      },
      utterances,
      preview: createPreview(),
      metrics: createAgentMetrics({
        agent: 'cas',
        version: '0',
        model: parts.info,
        stream: () => undefined,
        natsUp: () => true,
      }),
      sayToken: () => expect.fail('a reader says nothing'),
      sayUtterance: () => expect.fail('a reader says nothing'),
      signal: new AbortController().signal,
    };
    await playEpisode(SPEC, ports);
    return { frames: frames.filter(({ type }) => type === 'turn'), opened };
  }

  /** The states of one that would speak, in a dialogue of its own for each turn. */
  async function alone(turn: number): Promise<TurnState> {
    const dialogue = openDialogue(parts, { ...DIALOGUE, system: systemPrompt(SPEC), steps: null });
    for (let before = 0; before < turn; before += 1) {
      const text = TEXTS[before] ?? '';
      await (before % 2 === 0 ? dialogue.heard(text, () => undefined) : dialogue.recall(text));
    }
    return dialogue.turnState();
  }

  it('has the state of its role at each of its turns, in one dialogue', async () => {
    const { frames, opened } = await read();
    expect(opened).toBe(1);
    expect(frames.map((frame) => 'turn' in frame && frame.turn)).toEqual([1, 3, 5]);
    for (const frame of frames) {
      if (frame.type !== 'turn') continue;
      expect(frame.data).toEqual(packTensor((await alone(frame.turn)).data, 'f32').data);
    }
  });
});
