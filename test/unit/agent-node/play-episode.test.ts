import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hearsTurn } from '../../../src/protocol/scenarios/hears-turn.ts';
import { type EpisodePorts, playEpisode } from '../../../src/agent-node/play-episode.ts';
import { createAgentMetrics } from '../../../src/agent-node/metrics.ts';
import { createPreview } from '../../../src/agent-node/preview.ts';
import { systemPrompt } from '../../../src/protocol/scenarios/system-prompt.ts';
import { digestOf } from '../../../src/protocol/stream/talk-digest.ts';
import { createUtteranceInbox } from '../../../src/agent-node/utterance-inbox.ts';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Model, TurnState } from '../../../src/model/types.ts';
import type { AgentSpec, Utterance } from '../../../src/protocol/nats-messages.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import type { Frame } from '../../../src/transport/stream/sender/sender.ts';
import { DIALOGUE, openChatModel } from '../../fixtures/onnx/chat-model.ts';

describe('hearsTurn', () => {
  const share = (dose: number): number =>
    Array.from({ length: 2000 }, (_, seed) => hearsTurn({ hears: { dose }, seed }, 3)).filter(Boolean)
      .length / 2000;

  it('hears all turns, none, or the share of the dose, and gives the same answer at each call', () => {
    expect(hearsTurn({ hears: 'all', seed: 1 }, 0)).toBe(true);
    expect(hearsTurn({ hears: 'none', seed: 1 }, 0)).toBe(false);
    expect(share(0)).toBe(0);
    expect(share(1)).toBe(1);
    expect(share(0.3)).toBeCloseTo(0.3, 1);
    expect(share(0.3)).toBe(share(0.3));
  });
});

describe('systemPrompt', () => {
  it('gives one line for each thing that is known, in a fixed order', () => {
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
  grant: '',
  models: [],
  person: { persona: 'I only read.', goal: '', secret: '' },
  seed: 5,
  startedAtMs: Date.UTC(2026, 10, 28),
  limits: { maxTurns: 6, minTurns: 6, maxTokens: 8 },
  study: { seed: 1, groups: 2 },
  sampling: DIALOGUE.sampling,
  steps: null,
  branches: null,
  keepLayers: [],
  alternatives: [],
  control: null,
  history: [],
};

const NOTHING_KEPT: Pick<EpisodePorts, 'kept' | 'moves'> = {
  kept: { keep: () => expect.fail('no state is kept') },
  moves: () => expect.fail('no turn branches'),
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

  /**
   * Plays the episode as a reader.
   * @returns its turn frames, and how many dialogues it opened
   */
  async function read(contextTokens?: number): Promise<{ frames: Frame[]; opened: number }> {
    const frames: Frame[] = [];
    let opened = 0;
    const open: Model['open'] = (options) => {
      opened += 1;
      // The date for chat templates is when the run began, however long ago.
      expect(options.atMs).toBe(SPEC.startedAtMs);
      const { info } = parts;
      return Promise.resolve(
        openDialogue(
          { ...parts, info: { ...info, contextTokens: contextTokens ?? info.contextTokens } },
          options,
        ),
      );
    };
    const utterances = createUtteranceInbox();
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
      ...NOTHING_KEPT,
      preview: createPreview(),
      metrics: createAgentMetrics({
        folder: '.',
        agent: 'cas',
        version: '0',
        model: parts.info,
        streams: () => [],
        natsUp: () => true,
      }),
      sayToken: () => expect.fail('a reader says nothing'),
      sayAlternative: () => expect.fail('a reader says nothing'),
      sayUtterance: () => expect.fail('a reader says nothing'),
      signal: new AbortController().signal,
    };
    await playEpisode(SPEC, ports);
    return { frames: frames.filter(({ type }) => type === 'turn'), opened };
  }

  /** The states of an agent that would speak, with a dialogue of its own for each turn. */
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

  const talksOf = async (contextTokens?: number) =>
    (await read(contextTokens)).frames.map((frame) => (frame.type === 'turn' ? frame.talk : undefined));

  it('marks each state with what the utterance before it was like', async () => {
    const said = [0, 2, 4].map((turn) => ({ dropped: 0, digest: digestOf(TEXTS[turn] ?? ''), cut: false }));
    expect(await talksOf()).toEqual(said);
  });

  it('marks from which state on its prompt lacks turns, and how many', async () => {
    const dialogue = openDialogue(parts, { ...DIALOGUE, system: systemPrompt(SPEC), steps: null });
    for (const text of TEXTS.slice(0, 3)) await dialogue.heard(text, () => undefined);
    // Three quarters of the context are exceeded after the third turn, and half of it by the system prompt and a
    // turn.
    const context = Math.ceil(((await dialogue.promptTokens()) + 2) / (3 / 4));
    const dropped = (await talksOf(context)).map((talk) => talk?.dropped);
    expect(dropped[0]).toBe(0);
    expect(dropped[2]).toBeGreaterThan(0);
    expect(dropped).toEqual(dropped.toSorted((a, b) => (a ?? 0) - (b ?? 0)));
  });
});

describe('an agent among three', () => {
  let parts: OpenModel;
  beforeAll(async () => void (parts = await openChatModel({ tokens: 'bytes', template: 'own' })));
  afterAll(() => parts.release());

  const order = ['ada', 'ben', 'cas'];
  const left = (turn: number, finish: Utterance['finish']): Utterance => ({
    ...utterance(turn),
    agent: order[turn % 3] as string,
    ...(finish === 'absent' ? { text: '', tokens: 0 } : {}),
    finish,
  });

  /**
   * Plays nine turns as the first of three agents.
   * @returns what it said, and the turns of which it has states
   */
  async function play(history: Utterance[], others: Utterance[]) {
    const said: Utterance[] = [];
    const turns: number[] = [];
    const heard: string[] = [];
    const utterances = createUtteranceInbox();
    for (const other of others) utterances.put(other);
    const open: Model['open'] = (options) => {
      const dialogue = openDialogue(parts, options);
      const listens = (text: string, onSteps: Parameters<typeof dialogue.heard>[1]) => {
        heard.push(text);
        return dialogue.heard(text, onSteps);
      };
      return Promise.resolve({ ...dialogue, heard: listens });
    };
    const limits = { maxTurns: 9, minTurns: 0, maxTokens: 4 };
    const spec = { ...SPEC, condition: 'live', order, role: 0, speaks: true, limits, history } as const;
    const metrics = { agent: 'ada', version: '0', model: parts.info, streams: () => [] };
    await playEpisode(
      { ...spec, order: [...order] },
      {
        agent: 'ada',
        stream: 'ada',
        model: { info: parts.info, open } as Model,
        frames: {
          epoch: 0,
          append: (frame) => (frame.type === 'turn' ? turns.push(frame.turn) : 0),
          lastSeq: () => turns.length,
          room: () => Promise.resolve(),
          sinceEpochNs: () => 0,
        },
        utterances,
        ...NOTHING_KEPT,
        preview: createPreview(),
        metrics: createAgentMetrics({ folder: '.', ...metrics, natsUp: () => true }),
        sayToken: () => undefined,
        sayAlternative: () => expect.fail('no turn branches'),
        sayUtterance: (mine) => {
          said.push(mine);
          return Promise.resolve(mine);
        },
        signal: new AbortController().signal,
      },
    );
    return { said, turns, heard };
  }

  it('goes on when another agent leaves, and does not hear that one’s later turns', async () => {
    const others = [
      left(1, 'leave'),
      left(2, 'stop'),
      left(4, 'absent'),
      left(5, 'stop'),
      left(7, 'absent'),
      left(8, 'stop'),
    ];
    const { said, turns, heard } = await play([], others);
    const own = said.filter(({ finish }) => finish !== 'absent');
    expect(turns).toEqual(own.map(({ turn }) => turn));
    expect(said.map(({ turn }) => turn)).toEqual([0, 3, 6]);
    expect(heard).toEqual([1, 2, 5, 8].map((turn) => TEXTS[turn] ?? ''));
  });

  it('that has left is absent at its turns, hears nothing and takes no states, also after it came back', async () => {
    const history = [left(0, 'leave'), left(1, 'stop'), left(2, 'stop')];
    const { said, turns, heard } = await play(
      history,
      [4, 5, 7, 8].map((turn) => left(turn, 'stop')),
    );
    expect(said).toMatchObject([
      { turn: 3, agent: 'ada', text: '', finish: 'absent', tokens: 0 },
      { turn: 6, finish: 'absent' },
    ]);
    expect(turns).toEqual([]);
    expect(heard).toEqual([TEXTS[1], TEXTS[2]]);
  });

  it('ends the episode when the second of three leaves', async () => {
    const { said } = await play([left(0, 'stop'), left(1, 'leave')], [left(2, 'leave')]);
    expect(said).toEqual([]);
  });
});
