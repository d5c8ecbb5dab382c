/** Turns that are read behind another history as well, by agents in one process with a real small model. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemPrompt } from '../../../src/protocol/scenarios/system-prompt.ts';
import { openDialogue } from '../../../src/model/dialogue/dialogue.ts';
import type { OpenModel } from '../../../src/model/worker/open-model.ts';
import type { Utterance } from '../../../src/protocol/nats-messages.ts';
import type { StepsFrame } from '../../../src/protocol/stream/frames.ts';
import { packTensor } from '../../../src/protocol/stream/tensor.ts';
import { playTalk, SEED, utterancesOf, type Cast, type Played } from '../../fixtures/model/play-talk.ts';
import { DIALOGUE, openChatModel } from '../../fixtures/onnx/chat-model.ts';

const STEPS = { layers: [1, 2], every: 1, control: true };
const OTHER = ['Good morning to you.', 'And to you, dear neighbour!', 'Will it rain?', 'I hope not.'];
const said = (turn: number): Utterance => ({
  episode: 'zero',
  turn,
  agent: turn % 2 === 0 ? 'ada' : 'ben',
  text: OTHER[turn] ?? '',
  finish: 'stop',
  tokens: 4,
  droppedTurns: 0,
  stream: 's',
  epoch: 1,
  lastSeq: turn,
});
const CONTROL = { episode: 'zero', seed: SEED + 1, history: OTHER.map((_, turn) => said(turn)) };

const stepsOf = (played: Played, agent: string, role: StepsFrame['role']): StepsFrame[] =>
  (played.frames.get(agent) ?? []).filter(
    (frame): frame is StepsFrame => frame.type === 'steps' && frame.role === role,
  );
const turnsOf = (frames: readonly StepsFrame[]): number[] => [...new Set(frames.map(({ turn }) => turn))];

describe('an episode with a control', () => {
  let parts: OpenModel;
  beforeAll(async () => void (parts = await openChatModel({ tokens: 'bytes', template: 'own' })));
  afterAll(() => parts.release());
  const play = (cast: Cast = {}): Promise<Played> => playTalk(parts, { steps: STEPS, ...cast });

  it('says and sends besides what it does without', async () => {
    const [plain, controlled] = [await play(), await play({ control: CONTROL })];
    expect(utterancesOf(controlled).map(({ text }) => text)).toEqual(
      utterancesOf(plain).map(({ text }) => text),
    );
    for (const agent of ['ada', 'ben']) {
      const own = (played: Played) =>
        (played.frames.get(agent) ?? []).filter(
          (frame) => !(frame.type === 'steps' && frame.role === 'control'),
        );
      expect(own(controlled)).toEqual(own(plain));
      expect(stepsOf(plain, agent, 'control')).toEqual([]);
    }
  });

  it('has for each heard turn the states of the same agent in the other episode, reading these words', async () => {
    const played = await play({ control: CONTROL });
    const texts = utterancesOf(played).map(({ text }) => text);
    for (const [agent, heard] of [
      ['ada', [1, 3]],
      ['ben', [0, 2]],
    ] as const) {
      const control = stepsOf(played, agent, 'control');
      expect(turnsOf(control)).toEqual(heard);
      for (const turn of heard) {
        const frames = control.filter((frame) => frame.turn === turn);
        const own = stepsOf(played, agent, 'listen').filter((frame) => frame.turn === turn);
        expect(frames.flatMap(({ bytes }) => bytes)).toEqual(own.flatMap(({ bytes }) => bytes));
        const alone = await readAlone(agent, turn, texts[turn] ?? '');
        expect(frames.map(({ data }) => data)).toEqual(alone);
        if (turn > 0) expect(frames.map(({ data }) => data)).not.toEqual(own.map(({ data }) => data));
      }
    }
  });

  it('comes right before the frames of the next own turn, and is not there where nothing is heard', async () => {
    const { frames } = await play({ control: CONTROL });
    const turn = (frames.get('ben') ?? []).findIndex((frame) => frame.type === 'turn' && frame.turn === 1);
    expect((frames.get('ben') ?? [])[turn - 1]).toMatchObject({ role: 'control', turn: 0 });
    const unheard = await play({ control: CONTROL, hears: 'none' });
    expect(stepsOf(unheard, 'ben', 'control')).toEqual([]);
  });

  it('ends where the other episode ended', async () => {
    const short = { ...CONTROL, history: CONTROL.history.slice(0, 2) };
    const played = await play({ control: short });
    expect(turnsOf(stepsOf(played, 'ben', 'control'))).toEqual([0, 2]);
    expect(turnsOf(stepsOf(played, 'ada', 'control'))).toEqual([1]);
  });

  it('gives the same control to an agent that comes back in the middle', async () => {
    const whole = await play({ control: CONTROL });
    const history = utterancesOf(whole).slice(0, 2);
    const late = await play({ control: CONTROL, history });
    const ofTurn = (played: Played) =>
      stepsOf(played, 'ben', 'control').flatMap(({ turn, data }) => (turn === 2 ? [data] : []));
    expect(ofTurn(late)).toEqual(ofTurn(whole));
    expect(ofTurn(late).length).toBeGreaterThan(0);
  });

  /** Data of the frames of an agent that never was in another episode than the other one. */
  async function readAlone(agent: string, turn: number, text: string): Promise<Uint8Array[]> {
    const scenario = { id: 'market', text: 'Two people meet on the market.' };
    const system = systemPrompt({ scenario, person: { persona: `I am ${agent}.`, goal: '', secret: '' } });
    const sampling = { ...DIALOGUE.sampling, temperature: 1 };
    const dialogue = openDialogue(parts, { ...DIALOGUE, system, sampling, steps: STEPS });
    for (const { agent: speaker, text: words } of CONTROL.history.slice(0, turn))
      await (speaker === agent ? dialogue.recall(words) : dialogue.heard(words, () => undefined));
    const data: Uint8Array[] = [];
    await dialogue.heard(text, (states) => data.push(packTensor(states.data, 'f16').data.slice()));
    await dialogue.close();
    return data;
  }
});
