/** The condition `paper-reader`: the talk of `live`, and beside each state that of a third person who reads along. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createAgentMetrics } from '../../../src/agent-node/metrics.ts';
import { type EpisodePorts, playEpisode } from '../../../src/agent-node/play-episode.ts';
import { createPreview } from '../../../src/agent-node/preview.ts';
import { createUtteranceInbox } from '../../../src/agent-node/utterance-inbox.ts';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { DialogueOptions, Model } from '../../../src/model/types.ts';
import type { AgentSpec, Utterance } from '../../../src/protocol/nats-messages.ts';
import type { TurnFrame } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import type { Frame } from '../../../src/transport/stream/sender/sender.ts';
import { DIALOGUE, openChatModel } from '../../fixtures/onnx/chat-model.ts';

const SPEC: AgentSpec = {
  run: 'test',
  episode: 'one',
  scenario: { id: 'market', text: 'Two people meet on the market.' },
  pair: 'ada-ben',
  condition: 'paper-reader',
  hears: 'all',
  order: ['ada', 'ben'],
  role: 0,
  speaks: true,
  seating: 0,
  grant: '',
  models: [],
  person: { persona: 'I sell apples.', goal: 'Sell all of them.', secret: 'They are old.' },
  seed: 5,
  limits: { maxTurns: 6, minTurns: 6, maxTokens: 8 },
  study: { seed: 1, groups: 2 },
  sampling: { ...DIALOGUE.sampling, temperature: 0.7 },
  steps: null,
  branches: null,
  keepLayers: [],
  alternatives: [],
  control: null,
  history: [],
};

let parts: OpenModel;
beforeAll(async () => void (parts = await openChatModel({ tokens: 'bytes', template: 'own' })));
afterAll(() => parts.release());

const heard = (turn: number): Utterance => {
  const place = { stream: 's', epoch: 0, lastSeq: 0 };
  const text = ['', 'Very well!', '', 'Two coins each.', '', 'No.'][turn] as string;
  return { episode: 'one', turn, agent: 'ben', text, finish: 'stop', tokens: 1, droppedTurns: 0, ...place };
};

interface Played {
  turns: TurnFrame[];
  said: Utterance[];
  opened: DialogueOptions[];
}

async function play(spec: AgentSpec): Promise<Played> {
  const [frames, said, opened]: [Frame[], Utterance[], DialogueOptions[]] = [[], [], []];
  const open: Model['open'] = (options) => {
    opened.push(options);
    return Promise.resolve(openDialogue(parts, options));
  };
  const utterances = createUtteranceInbox();
  for (const turn of [1, 3, 5]) utterances.put(heard(turn));
  const never = (): never => expect.fail('nothing branches');
  const ports: EpisodePorts = {
    agent: 'ada',
    stream: 'ada',
    model: { info: parts.info, open } as Model,
    frames: {
      epoch: 0,
      // the tensor of a frame is valid until the next one
      append: (frame) => frames.push(structuredClone(frame)),
      lastSeq: () => frames.length,
      room: () => Promise.resolve(),
      sinceEpochNs: () => 0,
    },
    utterances,
    preview: createPreview(),
    metrics: createAgentMetrics({
      folder: '.',
      agent: 'ada',
      version: '0',
      model: parts.info,
      streams: () => [],
      natsUp: () => true,
    }),
    sayToken: () => undefined,
    sayUtterance: (utterance) => {
      said.push(utterance);
      return Promise.resolve(utterance);
    },
    sayAlternative: never,
    kept: { keep: never },
    moves: never,
    signal: new AbortController().signal,
  };
  await playEpisode(spec, ports);
  return { turns: frames.filter((frame) => frame.type === 'turn') as TurnFrame[], said, opened };
}

/** The state of a dialogue of its own that has read the first turns as a third person. */
async function readStates(said: readonly Utterance[], turns: number): Promise<Uint8Array> {
  const system =
    'You are reading an interaction between two other people.\nScenario: Two people meet on the market.';
  const dialogue = openDialogue(parts, { id: 'twin', system, sampling: SPEC.sampling, steps: null });
  for (let turn = 0; turn < turns; turn++) {
    const text = turn % 2 === 0 ? said[turn / 2]?.text : heard(turn).text;
    await dialogue.heard(text ?? '', () => undefined);
  }
  const { data } = await dialogue.turnState();
  await dialogue.close();
  return packTensor(data, 'f32').data;
}

it('a speaker of paper-reader sends with each state that of a third person, and says what it says in live', async () => {
  const { turns, said, opened } = await play(SPEC);
  expect(turns.map(({ turn }) => turn)).toEqual([0, 2, 4]);
  for (const { turn, reader, data } of turns) {
    expect(reader).toEqual(await readStates(said, turn));
    expect(reader).not.toEqual(data);
  }
  expect(opened.map(({ system }) => system.includes('Sell all'))).toEqual([true, false]);
  const live = await play({ ...SPEC, condition: 'live' });
  expect(live.said.map(({ text }) => text)).toEqual(said.map(({ text }) => text));
  expect(live.turns.map(({ data }) => data)).toEqual(turns.map(({ data }) => data));
  expect(live.turns.every(({ reader }) => reader === undefined)).toBe(true);
  expect(live.opened).toHaveLength(1);
});

it('a speaker of paper-reader that comes back has read what was said before', async () => {
  const { said, turns } = await play(SPEC);
  const history = [said[0] as Utterance, heard(1), said[1] as Utterance, heard(3)];
  const again = await play({ ...SPEC, history });
  expect(again.turns.map(({ turn, reader }) => [turn, reader])).toEqual([[4, turns[2]?.reader]]);
});

it('the third person of three hears of other people, and of an agent that has left nothing more', async () => {
  const texts = ['Hello.', 'I must go.', 'Good bye then!', 'So it is us two.', '', 'It is.'];
  const history = texts.map((text, turn): Utterance => {
    const finish = turn === 1 ? 'leave' : turn === 4 ? 'absent' : 'stop';
    return { ...heard(1), turn, agent: ['ada', 'ben', 'cid'][turn % 3] ?? '', text, finish };
  });
  const limits = { ...SPEC.limits, maxTurns: 7, minTurns: 1 };
  const { turns, opened } = await play({ ...SPEC, order: ['ada', 'ben', 'cid'], limits, history });
  const system =
    'You are reading an interaction between other people.\nScenario: Two people meet on the market.';
  expect(opened[1]?.system).toBe(system);
  const dialogue = openDialogue(parts, { id: 'twin', system, sampling: SPEC.sampling, steps: null });
  for (const text of texts.filter((one) => one !== '')) await dialogue.heard(text, () => undefined);
  const { data } = await dialogue.turnState();
  await dialogue.close();
  expect(turns.map(({ turn, reader }) => [turn, reader])).toEqual([[6, packTensor(data, 'f32').data]]);
});
